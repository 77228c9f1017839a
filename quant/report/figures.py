"""The figures of a report, as inline SVG or as one PNG. Equal dossiers give equal bytes."""

import io
import math
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure

from quant.bars.bars import Floats
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.dossier import Dossier
from quant.report.drawing import (
    COLOURS,
    EDGE,
    INK,
    LINE_HEIGHT,
    LOSS,
    NAME_WIDTH,
    NARROW,
    STYLE,
    Drawing,
    add_legend,
    draw_both,
    draw_svg,
    label_axes,
    style_axes,
    thin,
)
from quant.report.track_record import TrackRecord
from quant.verdict.significance import expected_best_sharpe

_BINS = 40


def draw_performance(record: TrackRecord) -> Drawing:
    """Draw equity against the benchmark, drawdown, and the rolling Sharpe ratio."""
    return draw_both((9, 7), 6.4, lambda figure: _plot_performance(figure, record))


def draw_trials(dossier: Dossier) -> str:
    """Draw the candidates of the search against the best expected by chance."""
    return draw_svg((NARROW, 3), lambda figure: _plot_trials(figure.subplots(), dossier))


def draw_resamples(dossier: Dossier) -> str:
    """Draw the bootstrap distribution of the Sharpe ratio of the holdout."""
    return draw_svg((NARROW, 3), lambda figure: _plot_resamples(figure.subplots(), dossier))


def draw_comparison(
    records: Mapping[str, TrackRecord], benchmarks: Mapping[str, TrackRecord]
) -> Drawing:
    """Draw the equity of several researches in one figure. Each starts at 1 on its holdout.

    Args:
        records: The records by the name of their research.
        benchmarks: For each name of bars, a record with their buy and hold.
    """

    def draw(figure: Figure) -> None:
        columns = int(figure.get_figwidth() // NAME_WIDTH)
        lines = math.ceil((len(records) + len(benchmarks)) / columns)
        figure.subplots_adjust(top=1.0 - (EDGE + LINE_HEIGHT * lines) / figure.get_figheight())
        axes = figure.subplots()
        for name, record in records.items():
            _plot_holdout(axes, record, record.equity, lw=1.5, label=name)
        for (name, record), style in zip(benchmarks.items(), cycle(("--", ":", "-."))):
            _plot_holdout(axes, record, record.benchmark, color=INK, ls=style, lw=1, label=name)
        axes.axhline(1.0, color=INK, lw=0.8)
        axes.set_ylabel("equity on the holdout, 1x cost", color=INK)
        add_legend(axes, columns)
        style_axes(axes)

    return draw_both((9, 4.5), 4, draw)


def draw_sheet(dossier: Dossier) -> bytes:
    """Draw the most important figures on one page, as a PNG."""
    record = TrackRecord.from_dossier(dossier)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 10.5), layout="constrained", dpi=150)
        FigureCanvasAgg(figure)
        upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(7, 3))[:, 0]
        _plot_performance(upper, record)
        left, right = lower.subplots(1, 2)
        _plot_trials(left, dossier)
        _plot_resamples(right, dossier)
        verdict = dossier.result.verdict.replace("_", " ")
        figure.suptitle(f"{dossier.input.spec.name}, {dossier.input.data.symbol}: {verdict}")
        output = io.BytesIO()
        figure.savefig(output, format="png", metadata={"Software": None})
    return output.getvalue()


def _plot_performance(figure: Figure | SubFigure, record: TrackRecord) -> None:
    equity, drawdown, rolling = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    shown = thin(len(record.times))
    times = record.times[shown]
    lines = {
        level: (record.times[record.holdout :], values)
        for level, values in record.other_levels.items()
    }
    lines["1x"] = (record.times, record.equity)
    for level, (moments, values) in sorted(lines.items()):
        late = thin(len(values))
        main = level == "1x"
        equity.plot(
            moments[late],
            values[late],
            color=COLOURS[level],
            lw=1.8 if main else 1,
            zorder=3 if main else 2,
            label=f"{level} cost",
        )
    equity.plot(times, record.benchmark[shown], color=INK, lw=1, ls="--", label="buy and hold")
    equity.set_yscale("log")
    equity.yaxis.set_major_formatter("{x:g}")
    equity.yaxis.set_minor_formatter("{x:g}")
    add_legend(equity)
    drawdown.fill_between(times, -100.0 * record.drawdown[shown], color=LOSS, lw=0)
    rolling.plot(times, record.rolling_sharpe[shown], color=COLOURS["1x"], lw=1)
    rolling.axhline(0.0, color=INK, lw=0.8)
    names = ("equity", "drawdown, %", f"Sharpe ratio\nover {record.window} bars")
    for axes, name in zip((equity, drawdown, rolling), names, strict=True):
        axes.set_ylabel(name, color=INK)
        if record.holdout < len(record.times):
            axes.axvspan(record.times[record.holdout], record.times[-1], color=INK, alpha=0.12)
        style_axes(axes)
    if record.holdout < len(record.times):
        equity.annotate(
            "holdout",
            (record.times[record.holdout], 0.03),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color=INK,
        )


def _plot_trials(axes: Axes, dossier: Dossier) -> None:
    year = np.sqrt(dossier.periods_per_year)
    scored = [(each.number, each.sharpe) for each in dossier.trials if each.sharpe is not None]
    if scored:
        numbers, sharpes = np.array(scored).T
        axes.scatter(numbers, sharpes * year, s=14, color=COLOURS["1x"], label="candidates")
        best = int(np.argmax(sharpes))
        axes.scatter(
            numbers[best], sharpes[best] * year, s=60, ec=LOSS, fc="none", label="chosen", lw=1.5
        )
    ever = dossier.input.trials_ever
    luck = expected_best_sharpe(ever, len(dossier.walk_forward.returns))
    axes.axhline(luck * year, color=INK, ls="--", lw=1, label=f"best of {ever:,} by chance")
    without = len(dossier.trials) - len(scored)
    label_axes(
        axes,
        "candidate" + (f" ({without} of {len(dossier.trials)} hardly traded)" if without else ""),
        f"Sharpe ratio in the search, {SEARCH_FOLDS} folds",
    )


def _plot_resamples(axes: Axes, dossier: Dossier) -> None:
    statistics = dossier.result.statistics
    if dossier.resampled_sharpes and statistics is not None:
        axes.hist(dossier.resampled_sharpes, bins=_BINS, color=COLOURS["1x"], alpha=0.7)
        axes.axvspan(
            statistics.sharpe_low, statistics.sharpe_high, color=INK, alpha=0.15, label="95 %"
        )
        axes.axvline(statistics.sharpe, color=COLOURS["1x"], lw=1.5, label="holdout")
        axes.axvline(0.0, color=LOSS, lw=1, ls="--", label="not trading")
    label_axes(axes, "Sharpe ratio of the holdout, resampled", "resamples")


def _plot_holdout(axes: Axes, record: TrackRecord, values: Floats, **style: Any) -> None:
    """Plot values, shape (bars,), over the holdout, as multiples of the value before it."""
    late = values[record.holdout :]
    start = values[record.holdout - 1]
    # An account that was worth nothing before has no multiples.
    if len(late) and start > 0.0:
        shown = thin(len(late))
        axes.plot(record.times[record.holdout :][shown], late[shown] / start, **style)
