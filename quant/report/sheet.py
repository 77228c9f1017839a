"""Draws the most important charts with matplotlib, as one PNG. Only a command imports this."""

import io
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from quant.messages.report.dossier import Dossier
from quant.report import figures
from quant.report.chart import INK, Area, Axis, Band, Bars, Chart, Line, Mark, Points, Rule, Values
from quant.report.track_record import TrackRecord

_STYLE: Final[Any] = {"date.converter": "concise", "font.size": 9}


def draw_sheet(dossier: Dossier) -> bytes:
    """Draw the most important figures on one page, as a PNG. Equal dossiers give equal bytes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 10.5), layout="constrained", dpi=150)
        FigureCanvasAgg(figure)
        upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(7, 3))[:, 0]
        left, right = lower.subfigures(1, 2)
        _draw(upper, figures.chart_performance(TrackRecord.from_dossier(dossier)))
        _draw(left, figures.chart_trials(dossier))
        _draw(right, figures.chart_resamples(dossier))
        verdict = dossier.result.verdict.replace("_", " ")
        figure.suptitle(f"{dossier.input.spec.name}, {dossier.input.data.symbol}: {verdict}")
        output = io.BytesIO()
        figure.savefig(output, format="png", metadata={"Software": None})
    return output.getvalue()


def _draw(figure: SubFigure, chart: Chart) -> None:
    shares = [panel.share for panel in chart.panels]
    column = figure.subplots(len(shares), 1, sharex=True, squeeze=False, height_ratios=shares)[:, 0]
    for axes, panel in zip(column, chart.panels, strict=True):
        for mark in panel.marks:
            _draw_mark(axes, mark, chart.x)
        axes.set_ylabel(panel.y.name, color=INK)
        _scale(axes, axes.yaxis, panel.y)
        _style(axes)
    _scale(column[-1], column[-1].xaxis, chart.x)
    column[-1].set_xlabel(chart.x.name, color=INK)
    _add_legend(column[0])


def _draw_mark(axes: Axes, mark: Mark, x: Axis) -> None:
    match mark:
        case Line():
            order = 3 if mark.in_front else 2
            stroke = _choose_stroke(mark)
            axes.plot(_place(mark.x, x), mark.y, label=mark.label, zorder=order, **stroke)
        case Area():
            axes.fill_between(_place(mark.x, x), mark.y, color=mark.colour, lw=0, label=mark.label)
        case Points():
            face = mark.colour if mark.filled else "none"
            size = (2.0 * mark.radius) ** 2
            axes.scatter(mark.x, mark.y, s=size, ec=mark.colour, fc=face, lw=1.5, label=mark.label)
        case Bars():
            axes.stairs(
                np.array(mark.heights),
                np.array(mark.edges),
                fill=True,
                color=mark.colour,
                alpha=0.7,
            )
        case Band():
            low, high = _place((mark.low, mark.high), x)
            axes.axvspan(low, high, color=INK, alpha=0.13, lw=0, label=mark.label)
            axes.annotate(
                mark.note,
                (low, 0.03),
                xycoords=("data", "axes fraction"),
                xytext=(4, 0),
                textcoords="offset points",
                color=INK,
            )
        case Rule():
            draw = axes.axvline if mark.axis == "x" else axes.axhline
            draw(mark.at, label=mark.label, **_choose_stroke(mark))


def _choose_stroke(mark: Line | Rule) -> dict[str, Any]:
    return {
        "color": mark.colour,
        "lw": mark.width,
        "ls": (0, mark.dashes) if mark.dashes else "solid",
    }


def _place(values: Values, axis: Axis) -> Any:
    """Return values of x, shape (values,), as matplotlib has them on this axis."""
    places = np.array(values)
    return places.astype(np.int64).astype("datetime64[s]") if axis.scale == "time" else places


def _scale(axes: Axes, side: XAxis | YAxis, axis: Axis) -> None:
    if axis.scale == "log":
        axes.set_yscale("log")
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter("{x:g}")
    elif axis.scale == "whole":
        side.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def _add_legend(axes: Axes) -> None:
    """Put the legend above the axes, in one line."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            frameon=False,
            labelcolor=INK,
            fontsize=8,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=len(handles),
            borderaxespad=0.0,
            handlelength=1.3,
            columnspacing=1.2,
        )


def _style(axes: Axes) -> None:
    """Apply the common style: grey ticks, a light grid, and no frame at the top and the right."""
    axes.tick_params(which="both", colors=INK, labelsize=8)
    axes.grid(visible=True, color=INK, alpha=0.25, lw=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
