"""The figures of a report, as charts."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np

from quant.bars.bars import Floats
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.dossier import Dossier
from quant.report.chart import (
    COLOURS,
    DASH_DOTTED,
    DASHED,
    DOTTED,
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
    thin,
)
from quant.report.track_record import TrackRecord
from quant.verdict.significance import expected_best_sharpe

_TIME = Axis(scale="time")
_BINS = 40


def chart_performance(record: TrackRecord) -> Chart:
    """Show equity against the benchmark, drawdown, and the rolling Sharpe ratio."""
    times = _count_seconds(record)
    shown = thin(len(times))
    late = times[record.holdout :]
    levels = {level: (late, values) for level, values in record.other_levels.items()}
    levels["1x"] = (times, record.equity)
    band = [Band(late[0], late[-1])] if len(late) else []
    equity: list[Mark] = [Band(late[0], late[-1], note="holdout")] if len(late) else []
    for level, (moments, values) in sorted(levels.items()):
        main, drawn = level == "1x", thin(len(values))
        equity.append(
            Line(
                moments[drawn],
                values[drawn],
                COLOURS[level],
                f"{level} cost",
                width=1.8 if main else 1.0,
                in_front=main,
            )
        )
    equity.append(Line(times[shown], record.benchmark[shown], INK, "buy and hold", dashes=DASHED))
    drawdown = Area(times[shown], -100.0 * record.drawdown[shown], LOSS)
    rolling = Line(times[shown], record.rolling_sharpe[shown], COLOURS["1x"])
    sharpe = Axis(f"Sharpe ratio\nover {record.window} bars")
    return Chart(
        _TIME,
        (
            Panel(Axis("equity", "log"), tuple(equity), share=3),
            Panel(Axis("drawdown, %"), (drawdown, *band)),
            Panel(sharpe, (*band, Rule("y", 0.0, width=0.8), rolling)),
        ),
    )


def chart_trials(dossier: Dossier) -> Chart:
    """Show the candidates of the search against the best expected by chance."""
    year = float(np.sqrt(dossier.periods_per_year))
    scored = [(each.number, each.sharpe) for each in dossier.trials if each.sharpe is not None]
    marks: list[Mark] = []
    if scored:
        numbers, sharpes = np.array(scored, dtype=np.float64).T
        best = [int(np.argmax(sharpes))]
        marks += [
            Points(numbers, sharpes * year, COLOURS["1x"], "candidates"),
            Points(numbers[best], sharpes[best] * year, LOSS, "chosen", radius=4.0, filled=False),
        ]
    ever = dossier.input.trials_ever
    luck = expected_best_sharpe(ever, len(dossier.walk_forward.returns)) * year
    marks.append(Rule("y", luck, label=f"best of {ever:,} by chance", dashes=DASHED))
    without = len(dossier.trials) - len(scored)
    idle = f" ({without} of {len(dossier.trials)} hardly traded)" if without else ""
    sharpe = Axis(f"Sharpe ratio in the search, {SEARCH_FOLDS} folds")
    return Chart(Axis(f"candidate{idle}", "whole"), (Panel(sharpe, tuple(marks)),))


def chart_resamples(dossier: Dossier) -> Chart:
    """Show the bootstrap distribution of the Sharpe ratio of the holdout."""
    statistics = dossier.result.statistics
    marks: tuple[Mark, ...] = ()
    if dossier.resampled_sharpes and statistics is not None:
        heights, edges = np.histogram(dossier.resampled_sharpes, bins=_BINS)
        marks = (
            Bars(edges, heights.astype(np.float64), COLOURS["1x"]),
            Band(statistics.sharpe_low, statistics.sharpe_high, "95 %"),
            Rule("x", statistics.sharpe, COLOURS["1x"], "holdout", width=1.5),
            Rule("x", 0.0, LOSS, "not trading", dashes=DASHED),
        )
    x = Axis("Sharpe ratio of the holdout, resampled")
    return Chart(x, (Panel(Axis("resamples", "whole"), marks),))


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


def _count_seconds(record: TrackRecord) -> Floats:
    """Return the times of the bars in seconds since 1970, shape (bars,)."""
    return record.times.astype("datetime64[s]").astype(np.int64).astype(np.float64)


def _follow_holdout(record: TrackRecord, values: Floats) -> tuple[Floats, Floats]:
    """Return times and values over the holdout, shape (drawn,), as multiples of the value before.

    Args:
        record: The record.
        values: One per bar, shape (bars,).
    """
    late = values[record.holdout :]
    shown = thin(len(late))
    before = values[record.holdout - 1] if record.holdout else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):  # Nothing multiplies a ruined account.
        multiples = late[shown] / before
    return _count_seconds(record)[record.holdout :][shown], multiples
