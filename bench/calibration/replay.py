"""One watch of a series whose truth is known, replayed bar by bar."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import talib

from bench.calibration import series
from bench.universe import walk
from quant.bars.bars import TRADING_DAYS_PER_YEAR, Bars, Floats
from quant.learning.prediction import predict_rises
from quant.learning.training import train
from quant.messages.artifacts import Artifact
from quant.messages.data import count_development_bars
from quant.messages.progress import ignore_report
from quant.messages.strategy import Costs
from quant.search.search import search
from quant.strategy.weights import decide_weights
from quant.universe.universe import Universe
from quant.watch.betting import begin_evidence, follow_bars
from quant.watch.returns import OpenReturns, measure_open_returns
from storage.artifacts import ArtifactStore
from workflows.interface.messages import ResearchRequest

# Of the rules from which the best is chosen: with the average over so many bars, and against it.
_PERIODS: Final = (5, 10, 20, 40, 80, 160)
_STRENGTH: Final = 2.0
_NOISE_RECORD: Final = 1_500
_DAY: Final = 86_400 * 10**9

Watched = Literal[
    "best of twelve rules",
    "best of twelve rules, 20 instruments",
    "planted rule",
    "what a search has found",
]

# Of 20 instruments: of the walks of `bench.universe`, and with a drift of an annual Sharpe ratio of
# 1 in each, which are highly correlated.
UNIVERSES: Final = ("independent", "correlated", "factor", "rising", "planted")
_INSTRUMENTS: Final = 20
_UNIVERSE_BARS: Final = 5_000
_DRIFT_PER_DEVIATION: Final = 1.0 / TRADING_DAYS_PER_YEAR**0.5


@dataclass(frozen=True)
class Case:
    """What is watched.

    Attributes:
        watched: The best of twelve rules by the bars before the watch, on noise, in one instrument
            or each of 20; or, on a planted series, the rule itself or what a search found there.
        kind: Of noise or of the planted rule.
        seed: Of the series.
        fate: What becomes of a planted rule when the watch begins.
    """

    watched: Watched
    kind: str
    seed: int
    fate: series.Fate = "lives"


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Attributes:
        case: What was watched.
        bars: How long.
        confirmed: After how many bars it was confirmed; None if never.
        withdrawn: The same of its withdrawal.
        sharpe: Annual Sharpe ratio of what the market does not explain, while it was watched.
    """

    case: Case
    bars: int
    confirmed: int | None
    withdrawn: int | None
    sharpe: float

    def to_row(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Replay":
        """Return what `to_row` returned."""
        return cls(**{**row, "case": Case(**row["case"])})


def replay(case: Case) -> Replay:
    """Watch, bar by bar."""
    if case.watched == "best of twelve rules":
        return _watch_best(case)
    if case.watched == "best of twelve rules, 20 instruments":
        return _watch_universe(case)
    return _watch_rule(case) if case.watched == "planted rule" else _watch_found(case)


def _watch_best(case: Case) -> Replay:
    """Watch the best of twelve rules on noise."""
    bars = series.to_bars(series.noise(case.kind, case.seed))
    runs = [_trade(bars, targets) for targets in _list_rules(bars)]
    best = max(runs, key=lambda run: float(np.mean(run.strategy[:_NOISE_RECORD])))
    return _watch(case, best, _NOISE_RECORD)


def _watch_universe(case: Case) -> Replay:
    """Watch the best of twelve rules, each followed in 20 instruments by one account."""
    kind = "correlated" if case.kind == "rising" else case.kind
    moves = walk(_UNIVERSE_BARS, _INSTRUMENTS, case.seed, kind)
    if case.kind == "rising":
        moves += _DRIFT_PER_DEVIATION * np.std(moves)
    universe = _build_universe(moves)
    sides = zip(*(_list_rules(bars) for bars in universe.instruments), strict=True)
    runs = [
        measure_open_returns(universe, np.stack(rule, axis=1) / _INSTRUMENTS, Costs())
        for rule in sides
    ]
    best = max(runs, key=lambda run: float(np.mean(run.strategy[:_NOISE_RECORD])))
    return _watch(case, best, _NOISE_RECORD)


def _build_universe(moves: Floats) -> Universe:
    closes = 100.0 * np.exp(np.cumsum(moves, axis=0))
    opens = np.concatenate([np.full((1, closes.shape[1]), 100.0), closes[:-1]])
    days = np.datetime64("1990-01-01", "ns").astype(np.int64) + np.arange(len(moves)) * _DAY
    return Universe.of(
        [
            Bars(
                f"S{number:02}",
                "1d",
                days,
                opens[:, number],
                np.maximum(opens, closes)[:, number],
                np.minimum(opens, closes)[:, number],
                closes[:, number],
                np.full(len(moves), 1000.0),
            )
            for number in range(moves.shape[1])
        ]
    )


def _watch_rule(case: Case) -> Replay:
    """Watch a planted rule itself, which dies or flips when the watch begins, or lives."""
    table, states = series.planted_with_states(case.kind, _STRENGTH, case.seed, case.fate)
    return _watch(case, _trade(series.to_bars(table), states), count_development_bars(len(table)))


def _watch_found(case: Case) -> Replay:
    """Watch what a search has found on a planted series."""
    bars = series.to_bars(series.planted(case.kind, _STRENGTH, case.seed, case.fate))
    record = count_development_bars(len(bars))
    development = bars.slice(0, record)
    found = search(
        development, ResearchRequest().trials, case.seed, ignore_report, on_trial=ignore_report
    ).spec
    workspace = ArtifactStore(f"memory://watch-{case.seed}").open(f"{case.kind} {case.fate}")
    data = bars.describe()
    train(development, found, case.seed, workspace, ignore_report, data=data)
    model = (workspace.read(Artifact.MODEL) or b"").decode()
    targets = decide_weights(Universe.of(bars), predict_rises(model, bars, found), found)
    return _watch(case, _trade(bars, targets[:, 0]), record)


def _list_rules(bars: Bars) -> Iterator[Floats]:
    for period in _PERIODS:
        average = np.asarray(talib.SMA(bars.close, timeperiod=period), np.float64)
        side = np.where(np.isnan(average), 0.0, np.where(bars.close >= average, 1.0, -1.0))
        yield side
        yield -side


def _trade(bars: Bars, targets: Floats) -> OpenReturns:
    return measure_open_returns(bars, targets, Costs())


def _watch(case: Case, run: OpenReturns, record: int) -> Replay:
    states = list(
        follow_bars(
            begin_evidence(run.strategy[:record], run.market[:record]),
            run.strategy[record:],
            run.market[record:],
            run.weights[record:],
            TRADING_DAYS_PER_YEAR,
        )
    )
    standings = [state.standing for state in states]
    confirmed = [number for number, each in enumerate(standings, start=1) if each == "confirmed"]
    withdrawn = [number for number, each in enumerate(standings, start=1) if each == "withdrawn"]
    beta, own = np.polyfit(run.market[record:], run.strategy[record:], 1)
    residual = run.strategy[record:] - beta * run.market[record:]
    deviation = float(np.std(residual)) or 1.0
    return Replay(
        case=case,
        bars=len(states),
        confirmed=confirmed[0] if confirmed else None,
        withdrawn=withdrawn[0] if withdrawn else None,
        sharpe=float(own) / deviation * TRADING_DAYS_PER_YEAR**0.5,
    )
