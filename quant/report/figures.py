"""The figures of a report, as charts."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle

from quant.learning.splits import SEARCH_FOLDS
from quant.messages.report.curves import PriceCurve, TradeRecord
from quant.messages.report.dossier import Dossier
from quant.messages.watch import ENOUGH, WatchRecord
from quant.report.chart import (
    COLOURS,
    DASH_DOTTED,
    DASHED,
    DOTTED,
    GAIN,
    INK,
    LOSS,
    PALETTE,
    Area,
    Axis,
    Band,
    Bars,
    Chart,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Values,
    thin,
)
from quant.report.track_record import TrackRecord
from quant.verdict.deflation import expected_best_sharpe

_TIME = Axis(scale="time")
_BINS = 40


def chart_performance(record: TrackRecord) -> Chart:
    """Show equity against the benchmark, drawdown, and the rolling Sharpe ratio."""
    shown = thin(len(record.equity))
    across = _pick_times(record, shown)
    early, late = record.holdout, len(record.equity)
    band: list[Mark] = []
    equity: list[Mark] = []
    if early < late:
        low, high = _pick_times(record, (early, late - 1))
        band, equity = [Band(low, high)], [Band(low, high, note="holdout")]
    on_holdout = [early + each for each in thin(late - early)]
    times_of_holdout = _pick_times(record, on_holdout)
    for level in sorted([*record.other_levels, "1x"]):
        if level == "1x":
            values = _pick(record.equity, shown)
            line = Line(across, values, COLOURS[level], "1x cost", width=1.8, in_front=True)
            equity.append(line)
        else:
            values = _pick(record.other_levels[level], [each - early for each in on_holdout])
            equity.append(Line(times_of_holdout, values, COLOURS[level], f"{level} cost"))
    benchmark = _pick(record.benchmark, shown)
    equity.append(Line(across, benchmark, INK, record.benchmark_name, dashes=DASHED))
    fall = [-100.0 * each for each in _pick(record.drawdown, shown)]
    drawdown = Area(across, fall, LOSS)
    rolling = Line(across, _pick(record.rolling_sharpe, shown), COLOURS["1x"])
    sharpe = Axis(f"Sharpe ratio\nover {record.window} bars")
    return Chart(
        _TIME,
        (
            Panel(Axis("equity", "log"), tuple(equity), share=3),
            Panel(Axis("drawdown, %"), (drawdown, *band)),
            Panel(sharpe, (*band, Rule("y", 0.0, width=0.8), rolling)),
        ),
    )


def chart_price(
    curve: PriceCurve, timestamps: Sequence[str], trades: Sequence[TradeRecord]
) -> Chart:
    """Show the price of an instrument with entries and exits.

    Args:
        curve: The price.
        timestamps: Times of the traded bars.
        trades: The trades of this instrument.
    """
    times = [_to_seconds(timestamps[bar]) for bar in curve.bars]
    marks: list[Mark] = [Line(times, curve.closes, INK, "close")]
    for direction, colour, label in ((1, GAIN, "long"), (-1, LOSS, "short")):
        chosen = [trade for trade in trades if trade.direction == direction]
        if chosen:
            entered = [_to_seconds(trade.entry_time) for trade in chosen]
            left = [_to_seconds(trade.exit_time) for trade in chosen]
            marks += [
                Points(entered, [trade.entry_price for trade in chosen], colour, label),
                Points(
                    left,
                    [trade.exit_price for trade in chosen],
                    colour,
                    f"end of {label}",
                    filled=False,
                ),
            ]
    return Chart(_TIME, (Panel(Axis("price", "log"), tuple(marks)),))


def chart_trials(dossier: Dossier) -> Chart:
    """Show the candidates of the search against the best expected by chance."""
    year = math.sqrt(dossier.periods_per_year)
    scored = [(each.number, each.sharpe) for each in dossier.trials if each.sharpe is not None]
    marks: list[Mark] = []
    if scored:
        numbers, sharpes = [float(each) for each, _ in scored], [each * year for _, each in scored]
        best = sharpes.index(max(sharpes))
        chosen = [numbers[best]], [sharpes[best]]
        marks += [
            Points(numbers, sharpes, COLOURS["1x"], "candidates"),
            Points(*chosen, LOSS, "chosen", radius=4.0, filled=False),
        ]
    ever = dossier.input.trials_ever
    luck = expected_best_sharpe(ever, len(dossier.walk_forward.returns)) * year
    marks.append(Rule("y", luck, label=f"best of {ever:,} by chance", dashes=DASHED))
    without = len(dossier.trials) - len(scored)
    idle = f" ({without} of {len(dossier.trials)} hardly traded)" if without else ""
    sharpe = Axis(f"Sharpe ratio in the search, {SEARCH_FOLDS} folds")
    return Chart(Axis(f"candidate{idle}", "whole"), (Panel(sharpe, tuple(marks)),))


def chart_returns(record: TrackRecord) -> Chart:
    """Show how often the account had which return per bar. Bars without a position are left out."""
    returns = [100.0 * each for each in record.returns if each != 0.0]
    marks: tuple[Mark, ...] = ()
    if len(set(returns)) > 1:
        marks = (
            Bars(*_count_in_bins(returns), COLOURS["1x"]),
            Rule("x", 0.0, LOSS, "0", dashes=DASHED),
        )
    return Chart(Axis("return per bar, in per cent"), (Panel(Axis("bars", "whole"), marks),))


def chart_resamples(dossier: Dossier) -> Chart:
    """Show the bootstrap distribution of the Sharpe ratio of the holdout."""
    statistics = dossier.result.statistics
    marks: tuple[Mark, ...] = ()
    if dossier.resampled_sharpes and statistics is not None:
        marks = (
            Bars(*_count_in_bins(dossier.resampled_sharpes), COLOURS["1x"]),
            Band(statistics.sharpe_low, statistics.sharpe_high, "95 %"),
            Rule("x", statistics.sharpe, COLOURS["1x"], "holdout", width=1.5),
            Rule("x", 0.0, LOSS, "not trading", dashes=DASHED),
        )
    x = Axis("Sharpe ratio of the holdout, resampled")
    return Chart(x, (Panel(Axis("resamples", "whole"), marks),))


def chart_watch(watch: WatchRecord) -> Chart:
    """Show the evidence for and against the alpha of a watched strategy, bar by bar."""
    shown = [watch.points[index] for index in thin(len(watch.points))]
    times = [_to_seconds(point.time) for point in shown]
    evidence = [point.evidence for point in shown]
    counter = [point.counter_evidence for point in shown]
    marks = (
        Rule("y", ENOUGH, label="decides", dashes=DASHED),
        Rule("y", 1.0, width=0.8),
        Line(times, counter, LOSS, "against it", dashes=DOTTED),
        Line(times, evidence, COLOURS["1x"], "for the alpha", width=1.8, in_front=True),
    )
    return Chart(_TIME, (Panel(Axis("evidence", "log"), marks),))


def chart_comparison(
    records: Mapping[str, TrackRecord], benchmarks: Mapping[str, TrackRecord]
) -> Chart:
    """Show the equity of several researches. Each starts at 1 on its holdout.

    Args:
        records: The records by the name of their research.
        benchmarks: For each name of bars, a record with their buy and hold.
    """
    marks: list[Mark] = [Rule("y", 1.0, width=0.8)]
    for (name, record), colour in zip(records.items(), cycle(PALETTE)):
        x, y = _follow_holdout(record, record.equity)
        marks.append(Line(x, y, colour, name, width=1.5))
    for (name, record), dashes in zip(benchmarks.items(), cycle((DASHED, DOTTED, DASH_DOTTED))):
        x, y = _follow_holdout(record, record.benchmark)
        marks.append(Line(x, y, INK, name, dashes=dashes))
    return Chart(_TIME, (Panel(Axis("equity on the holdout, 1x cost"), tuple(marks)),))


def _pick(values: Values, indices: Sequence[int]) -> list[float]:
    return [values[index] for index in indices]


def _pick_times(record: TrackRecord, indices: Sequence[int]) -> list[float]:
    """Return the times of these bars, in whole seconds since 1970."""
    return [_to_seconds(record.timestamps[index]) for index in indices]


def _to_seconds(time: str) -> float:
    """Return a time in whole seconds since 1970."""
    return float(math.floor(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()))


def _count_in_bins(values: Values) -> tuple[list[float], list[float]]:
    """Return the edges of bins of equal width, and how many values each has.

    A value on an edge is in the bin above it. The last bin has both of its edges.
    """
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / _BINS
    counts = [0.0] * _BINS
    for value in values:
        counts[min(int((value - low) / width), _BINS - 1)] += 1.0
    return [*(low + number * width for number in range(_BINS)), high], counts


def _follow_holdout(record: TrackRecord, values: Values) -> tuple[list[float], list[float]]:
    """Return times and values over the holdout, as multiples of the value before it.

    Args:
        record: The record.
        values: One per bar.
    """
    shown = [record.holdout + each for each in thin(len(values) - record.holdout)]
    before = values[record.holdout - 1] if record.holdout else 1.0
    # Nothing multiplies a ruined account.
    multiples = [each / before if before else math.nan for each in _pick(values, shown)]
    return _pick_times(record, shown), multiples
