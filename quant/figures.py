"""The figures of a report, as inline SVG or as one PNG. Equal dossiers give equal bytes."""

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from quant.dossier import Dossier
from quant.record import Record
from quant.statistics import expected_best_by_luck

# Mid grey and saturated colours, readable on a light as well as on a dark page.
INK: Final = "#808080"
COLOURS: Final = {"0x": "#3fa34d", "1x": "#2f7fd6", "2x": "#e08a1e"}
LOSS: Final = "#d64545"
_STYLE: Final[Any] = {
    # Without a fixed salt the ids inside the SVG would differ on every run.
    "svg.hashsalt": "ktrdr",
    "svg.fonttype": "none",
    "date.converter": "concise",
    "font.size": 9,
}
# The SVG would otherwise name its time of creation.
_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
# More points than a page has pixels only make it heavy.
_POINTS: Final = 1_000
_BINS: Final = 40
# Margins in inches, wide enough for the labels.
_LEFT: Final = 0.75
_BELOW: Final = 0.5
_EDGE: Final = 0.1


def performance(record: Record) -> str:
    """Return equity against the benchmark, drawdown and rolling Sharpe ratio."""
    return _svg((9, 7), lambda figure: _performance(figure, record))


def trials(dossier: Dossier) -> str:
    """Return the candidates of the search against the best expected by chance."""
    return _svg((6, 3), lambda figure: _trials(figure.subplots(), dossier))


def resampled(dossier: Dossier) -> str:
    """Return the bootstrap distribution of the holdout's Sharpe ratio."""
    return _svg((6, 3), lambda figure: _resampled(figure.subplots(), dossier))


def sheet(dossier: Dossier) -> bytes:
    """Return the most important figures on one page, as a PNG."""
    record = Record.of(dossier)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 10.5), layout="constrained", dpi=150)
        FigureCanvasAgg(figure)
        upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(7, 3))[:, 0]
        _performance(upper, record)
        left, right = lower.subplots(1, 2)
        _trials(left, dossier)
        _resampled(right, dossier)
        verdict = dossier.result.verdict.replace("_", " ")
        figure.suptitle(f"{dossier.input.spec.name}, {dossier.input.data.symbol}: {verdict}")
        output = io.BytesIO()
        figure.savefig(output, format="png", metadata={"Software": None})
    return output.getvalue()


def _svg(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        draw(figure)
        # A layout engine would draw everything twice to find the same margins.
        width, height = size
        figure.subplots_adjust(
            left=_LEFT / width,
            right=1.0 - _EDGE / width,
            bottom=_BELOW / height,
            top=1.0 - _EDGE / height,
            hspace=0.12,
        )
        output = io.StringIO()
        figure.savefig(output, format="svg", transparent=True, metadata=_METADATA)
    svg = output.getvalue()
    # The XML prolog and document type have no place inside an HTML page.
    return svg[svg.index("<svg") :]


def _performance(figure: Figure | SubFigure, record: Record) -> None:
    equity, drawdown, rolling = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    shown = _thinned(len(record.times))
    times = record.times[shown]
    equity.plot(times, record.benchmark[shown], color=INK, lw=1, ls="--", label="buy and hold")
    for level, values in record.other_levels.items():
        late = _thinned(len(values))
        moments = record.times[record.holdout :][late]
        equity.plot(moments, values[late], color=COLOURS[level], lw=1, label=f"{level} cost")
    equity.plot(times, record.equity[shown], color=COLOURS["1x"], lw=1.8, label="1x cost")
    equity.set_yscale("log")
    equity.yaxis.set_major_formatter("{x:g}")
    equity.yaxis.set_minor_formatter("{x:g}")
    equity.legend(frameon=False, labelcolor=INK, loc="upper left")
    drawdown.fill_between(times, -100.0 * record.drawdown[shown], color=LOSS, lw=0)
    rolling.plot(times, record.rolling_sharpe[shown], color=COLOURS["1x"], lw=1)
    rolling.axhline(0.0, color=INK, lw=0.8)
    names = ("equity", "drawdown, %", f"Sharpe ratio\nover {record.window} bars")
    for axes, name in zip((equity, drawdown, rolling), names, strict=True):
        axes.set_ylabel(name, color=INK)
        if record.holdout < len(record.times):
            axes.axvspan(record.times[record.holdout], record.times[-1], color=INK, alpha=0.12)
        _plain(axes)
    if record.holdout < len(record.times):
        equity.annotate(
            "holdout",
            (record.times[record.holdout], 0.03),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color=INK,
        )


def _trials(axes: Axes, dossier: Dossier) -> None:
    year = np.sqrt(dossier.periods_per_year)
    scored = [(each.number, each.sharpe) for each in dossier.trials if each.sharpe is not None]
    if scored:
        numbers, sharpes = np.array(scored).T
        axes.scatter(numbers, sharpes * year, s=14, color=COLOURS["1x"], label="candidates")
        best = int(np.argmax(sharpes))
        axes.scatter(
            numbers[best], sharpes[best] * year, s=60, ec=LOSS, fc="none", label="chosen", lw=1.5
        )
    luck = expected_best_by_luck(dossier.input.trials_ever, len(dossier.walk_forward.returns))
    axes.axhline(
        luck * year,
        color=INK,
        ls="--",
        lw=1,
        label=f"best of {dossier.input.trials_ever} by chance",
    )
    _label(axes, "candidate", "Sharpe ratio in development")


def _resampled(axes: Axes, dossier: Dossier) -> None:
    statistics = dossier.result.statistics
    if dossier.resampled_sharpes and statistics is not None:
        axes.hist(dossier.resampled_sharpes, bins=_BINS, color=COLOURS["1x"], alpha=0.7)
        axes.axvspan(
            statistics.sharpe_low, statistics.sharpe_high, color=INK, alpha=0.15, label="95 %"
        )
        axes.axvline(statistics.sharpe, color=COLOURS["1x"], lw=1.5, label="holdout")
        axes.axvline(0.0, color=LOSS, lw=1, ls="--", label="not trading")
    _label(axes, "Sharpe ratio of the holdout, resampled", "resamples")


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.tick_params(which="both", colors=INK)
    axes.grid(visible=True, color=INK, alpha=0.25, lw=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def _thinned(points: int) -> NDArray[np.int64]:
    """Return the indices to draw, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, _POINTS)).round().astype(np.int64))


def comparison(records: Mapping[str, Record]) -> str:
    """Return the equity of several researches in one figure, each starting at 1 on its holdout."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for name, record in records.items():
            equity = record.equity[record.holdout :]
            if len(equity):
                shown = _thinned(len(equity))
                times = record.times[record.holdout :][shown]
                axes.plot(times, equity[shown] / equity[0], lw=1.5, label=name)
        axes.axhline(1.0, color=INK, lw=0.8)
        _label(axes, "", "equity on the holdout, 1x cost")

    return _svg((9, 4.5), draw)
