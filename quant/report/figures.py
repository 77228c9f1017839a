"""The figures of a report, as inline SVG or as one PNG. Equal dossiers give equal bytes."""

import io
import math
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any, Final, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from quant.bars.bars import Floats
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.dossier import Dossier
from quant.report.track_record import Record
from quant.verdict.significance import expected_best_by_luck

# Mid grey and saturated colours, readable on a light as well as on a dark page.
INK: Final = "#808080"
COLOURS: Final = {"0x": "#3fa34d", "1x": "#2f7fd6", "2x": "#e08a1e"}
LOSS: Final = "#d64545"
_STYLE: Final[Any] = {
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
# Of the names above a figure: height of a line, least width of a long name.
_LINE: Final = 0.2
_NAME: Final = 2.0
# As wide as a telephone: scaled down to it, text of a broad figure would be too small to read.
_NARROW: Final = 4.2


class Drawing(NamedTuple):
    """One figure for every width of a page; the page shows the one that fits."""

    broad: str
    narrow: str


def performance(record: Record) -> Drawing:
    """Return equity against the benchmark, drawdown and rolling Sharpe ratio."""
    return _drawing((9, 7), 6.4, lambda figure: _performance(figure, record))


def trials(dossier: Dossier) -> str:
    """Return the candidates of the search against the best expected by chance."""
    return _svg((_NARROW, 3), lambda figure: _trials(figure.subplots(), dossier))


def resampled(dossier: Dossier) -> str:
    """Return the bootstrap distribution of the holdout's Sharpe ratio."""
    return _svg((_NARROW, 3), lambda figure: _resampled(figure.subplots(), dossier))


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


def _drawing(
    broad: tuple[float, float], narrow_height: float, draw: Callable[[Figure], None]
) -> Drawing:
    return Drawing(_svg(broad, draw), _svg((_NARROW, narrow_height), draw))


def _svg(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    # Without a fixed salt the ids would differ on every run; with one for all sizes they would not
    # differ enough: a browser finds nothing by an id inside of what is not displayed.
    with mpl.rc_context(_STYLE | {"svg.hashsalt": f"ktrdr {size}"}):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        # A layout engine would draw everything twice to find the same margins.
        width, height = size
        figure.subplots_adjust(
            left=_LEFT / width,
            right=1.0 - _EDGE / width,
            bottom=_BELOW / height,
            top=1.0 - (_EDGE + _LINE) / height,
            hspace=0.12,
        )
        draw(figure)
        output = io.StringIO()
        figure.savefig(output, format="svg", transparent=True, metadata=_METADATA)
    svg = output.getvalue()
    # The XML prolog and document type have no place inside an HTML page.
    return svg[svg.index("<svg") :]


def _performance(figure: Figure | SubFigure, record: Record) -> None:
    equity, drawdown, rolling = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    shown = _thinned(len(record.times))
    times = record.times[shown]
    lines = {
        level: (record.times[record.holdout :], values)
        for level, values in record.other_levels.items()
    }
    lines["1x"] = (record.times, record.equity)
    for level, (moments, values) in sorted(lines.items()):
        late = _thinned(len(values))
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
    _legend(equity)
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
    ever = dossier.input.trials_ever
    luck = expected_best_by_luck(ever, len(dossier.walk_forward.returns))
    axes.axhline(luck * year, color=INK, ls="--", lw=1, label=f"best of {ever:,} by chance")
    without = len(dossier.trials) - len(scored)
    _label(
        axes,
        "candidate" + (f" ({without} of {len(dossier.trials)} hardly traded)" if without else ""),
        f"Sharpe ratio in the search, {SEARCH_FOLDS} folds",
    )


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
    _legend(axes)
    _plain(axes)


def _legend(axes: Axes, columns: int | None = None) -> None:
    """Name what is drawn above the axes, where it hides nothing: in one line, or in columns."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            frameon=False,
            labelcolor=INK,
            fontsize=8,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns or len(handles),
            borderaxespad=0.0,
            handlelength=1.3,
            columnspacing=1.2,
        )


def _plain(axes: Axes) -> None:
    axes.tick_params(which="both", colors=INK, labelsize=8)
    axes.grid(visible=True, color=INK, alpha=0.25, lw=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def _thinned(points: int) -> NDArray[np.int64]:
    """Return the indices to draw, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, _POINTS)).round().astype(np.int64))


def comparison(records: Mapping[str, Record], benchmarks: Mapping[str, Record]) -> Drawing:
    """Return the equity of several researches in one figure, each starting at 1 on its holdout.

    Args:
        records: By the name of the research.
        benchmarks: By the name of the bars, a record that has traded them.
    """

    def draw(figure: Figure) -> None:
        columns = int(figure.get_figwidth() // _NAME)
        lines = math.ceil((len(records) + len(benchmarks)) / columns)
        figure.subplots_adjust(top=1.0 - (_EDGE + _LINE * lines) / figure.get_figheight())
        axes = figure.subplots()
        for name, record in records.items():
            _holdout(axes, record, record.equity, lw=1.5, label=name)
        for (name, record), style in zip(benchmarks.items(), cycle(("--", ":", "-."))):
            _holdout(axes, record, record.benchmark, color=INK, ls=style, lw=1, label=name)
        axes.axhline(1.0, color=INK, lw=0.8)
        axes.set_ylabel("equity on the holdout, 1x cost", color=INK)
        _legend(axes, columns)
        _plain(axes)

    return _drawing((9, 4.5), 4, draw)


def _holdout(axes: Axes, record: Record, values: Floats, **style: Any) -> None:
    """Draw an account from 1 at the end of the walk-forward."""
    late = values[record.holdout :]
    if len(late):
        shown = _thinned(len(late))
        start = values[record.holdout - 1]
        axes.plot(record.times[record.holdout :][shown], late[shown] / start, **style)
