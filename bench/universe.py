"""What several instruments cost, relative to as many bars of one; and how often noise convinces.

Processor time is measured, so that other work on the machine disturbs little. Every case has a
process of its own, whose peak of memory is its own.
"""

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from activities.inline_research import run_inline
from bench.account import make_market
from bench.figures import Figure, publish
from quant.backtest import metrics
from quant.backtest.account import follow_targets
from quant.bars.bars import TRADING_DAYS_PER_YEAR, Floats
from quant.bars.cache import DIRECTORY
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.readiness import ReadinessCheck, WantedBars
from quant.messages.strategy import Costs, FeatureSpec, StrategySpec
from quant.processes import die_with_parent
from quant.search.proposals import Proposer
from quant.search.scorer import Scorer
from quant.search.search import make_space, search
from quant.universe.loader import load_universe
from quant.universe.readiness import answer_all
from storage.artifacts import ArtifactStore

BARS: Final = 5_000
FEW: Final = 50
MANY: Final = 500
_VOLATILITY: Final = 0.01
_LENGTH_OF_CALIBRATION: Final = 2_500
_CALIBRATED: Final = 20
# The planted rule: a drift of so many standard deviations towards that side of the average of so
# many bars on which the price is. After cost it earns a Sharpe ratio of about 0.6.
_DRIFT: Final = 0.05
_PERIOD: Final = 30

_SPEC = StrategySpec(
    name="usual",
    features=tuple(FeatureSpec(kind=kind, period=20) for kind in ("return", "rsi", "volatility")),
)


def walk(rows: int, instruments: int, seed: int, kind: str = "independent") -> Floats:
    """Return returns per bar, shape (rows, instruments).

    Args:
        rows: Number of bars.
        instruments: Number of instruments.
        seed: Seed of the walk.
        kind: `independent`, `correlated` at 0.7, `factor` (each has another share of one) or
            `planted` (independent, each with the same rule).
    """
    random = np.random.default_rng(seed)
    shared, own = random.normal(size=(rows, 1)), random.normal(size=(rows, instruments))
    weight = {"correlated": np.full(instruments, np.sqrt(0.7))}.get(kind, np.zeros(instruments))
    if kind == "factor":
        weight = random.uniform(0.3, 0.95, instruments)
    moves: Floats = _VOLATILITY * (weight * shared + np.sqrt(1.0 - weight**2) * own)
    if kind == "planted":
        plant(moves)
    return moves


def plant(moves: Floats) -> Floats:
    """Add the rule to returns, shape (rows, instruments), and return its positions, likewise."""
    logs, held = np.zeros_like(moves), np.zeros_like(moves)
    for row in range(1, len(moves)):
        side = np.sign(logs[row - 1] - logs[max(row - _PERIOD, 0) : row].mean(axis=0))
        held[row - 1] = side
        moves[row] += _DRIFT * _VOLATILITY * side
        logs[row] = logs[row - 1] + moves[row]
    return held


def measure_planted() -> float:
    """Return the annual Sharpe ratio of the rule in one instrument after cost."""
    moves = walk(40_000, 1, 7)
    held = plant(moves)[:, 0]
    # What is held at a bar was decided at the close before.
    earned = np.append(0.0, held[:-1] * moves[1:, 0])
    earned -= np.abs(np.diff(held, prepend=0.0)) * Costs().per_side
    return metrics.annualised_sharpe(earned, TRADING_DAYS_PER_YEAR) or 0.0


def write(directory: Path, moves: Floats, suffix: str) -> DataSource:
    """Write the bars of all instruments, and return what they are."""
    closes = 100.0 * np.exp(np.cumsum(moves, axis=0))
    opens = np.concatenate([np.full((1, closes.shape[1]), 100.0), closes[:-1]])
    times = pd.bdate_range("1990-01-01", periods=len(moves))
    names = [f"S{number:03}" for number in range(closes.shape[1])]
    for number, name in enumerate(names):
        first, last = opens[:, number], closes[:, number]
        table = pd.DataFrame(
            {
                "timestamp": times,
                "open": first,
                "high": np.maximum(first, last),
                "low": np.minimum(first, last),
                "close": last,
                "volume": 1000.0,
            }
        )
        if suffix == "csv":
            table.to_csv(directory / f"{name}.csv", index=False, float_format="%.4f")
        else:
            table.to_parquet(directory / f"{name}.parquet", index=False)
    return DataSource(symbols=tuple(names))


def alone(compute: Callable[..., None], *given: object) -> tuple[float, float]:
    """Return processor seconds and peak mebibytes of a computation in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(compute, given, sender))
    process.start()
    seconds, mebibytes = receiver.recv()
    process.join()
    return seconds, mebibytes


def _measure(compute: Callable[..., None], given: tuple[object, ...], sender: object) -> None:
    die_with_parent()
    began = time.process_time()
    compute(*given)
    took = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send((took, peak))  # type: ignore[attr-defined]


def load(source: DataSource, directory: Path) -> None:
    """Load all bars."""
    load_universe(source, directory)


def check(source: DataSource, directory: Path) -> None:
    """Count the bars of each instrument by itself, as before the start of a campaign."""
    sources = (DataSource(symbol=symbol, timeframe=source.timeframe) for symbol in source.symbols)
    wanted = tuple(WantedBars(data=each) for each in sources)
    for _ in answer_all(ReadinessCheck(data_dir=directory, wanted=wanted)):
        pass


def score_once(source: DataSource, directory: Path) -> None:
    """Load all bars, and score one candidate on them."""
    Scorer(load_universe(source, directory).split()[0], 1).score(_SPEC)


def search_all(source: DataSource, directory: Path, trials: int) -> None:
    """Search as a research does."""
    bars = load_universe(source, directory)
    search(bars.split()[0], trials, 1, ignore_report, on_trial=lambda _: None, bars=bars.rows)


def score_all(source: DataSource, directory: Path, trials: int) -> None:
    """Score candidates that depend on no score: the same ones on whatever bars."""
    development = load_universe(source, directory).split()[0]
    scorer, proposer = Scorer(development, 1), Proposer(make_space(development), 1)
    for number in range(1, trials + 1):
        scorer.score(proposer.propose(number)[0])


def write_one(directory: Path, bars: int) -> DataSource:
    """Write so many bars of one instrument, and return what they are."""
    moves = walk(bars, 1, 1)[:, 0]
    closes = 100.0 * np.exp(np.cumsum(moves - moves.mean()))
    opens = np.concatenate([[100.0], closes[:-1]])
    pd.DataFrame(
        {
            "timestamp": pd.date_range("1990-01-01", periods=bars, freq="15min"),
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": 1000.0,
        }
    ).to_parquet(directory / "ONE_15m.parquet", index=False)
    return DataSource(symbol="ONE", timeframe="15m")


def measure_costs(trials: int) -> list[Figure]:
    """Measure loading, memory, the account and a search."""
    figures = []
    opens, closes = make_market(BARS, MANY)
    drawn = np.random.default_rng(1).uniform(-1.0, 1.0, (BARS // 5, MANY)) / MANY
    weights = np.repeat(drawn, 5, axis=0)
    began = time.process_time()
    follow_targets(opens, closes, weights, Costs())
    took = time.process_time() - began
    figures.append(Figure(f"account: {MANY} x {BARS:,}, weekly changes of all", "s", took, 1.0))
    for suffix in ("parquet", "csv"):
        with tempfile.TemporaryDirectory() as folder:
            source = write(Path(folder), walk(BARS, MANY, 1), suffix)
            # Every further process maps what the first one has parsed.
            for name in (f"from {suffix}", f"from {suffix} again"):
                seconds, mebibytes = alone(load, source, Path(folder))
                figures.append(Figure(f"loading {MANY} x {BARS:,} {name}", "s", seconds, 5.0))
                figures.append(
                    Figure(f"memory, {MANY} x {BARS:,} {name}", "MiB", mebibytes, 1024.0)
                )
            if suffix == "csv":
                shutil.rmtree(Path(folder) / DIRECTORY)
                seconds, _ = alone(check, source, Path(folder))
                figures.append(Figure(f"checking {MANY} x {BARS:,} from csv", "s", seconds, 5.0))
            else:
                _, mebibytes = alone(score_once, source, Path(folder))
                name = f"memory, one candidate on {MANY} x {BARS:,}"
                figures.append(Figure(name, "MiB", mebibytes, 1536.0))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        sources = (write(home, walk(BARS, FEW, 1), "parquet"), write_one(home, BARS * FEW))
        for compute, what in ((search_all, "trials"), (score_all, "same candidates")):
            several, one = (alone(compute, source, home, trials)[0] for source in sources)
            name = f"{trials} {what}, {FEW} x {BARS:,} over 1 x {BARS * FEW:,}"
            figures.append(Figure(name, "", several / one, 1.3))
    return figures


def judge(kind: str, seed: int, trials: int) -> bool:
    """Return whether a research on twenty instruments is called promising."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        moves = walk(_LENGTH_OF_CALIBRATION, _CALIBRATED, seed, kind)
        found = run_inline(
            write(home, moves, "parquet"),
            trials=trials,
            seed=seed,
            store=ArtifactStore(str(home / "artifacts")),
            data_dir=home,
            neighbours=False,
        )
    return found.assessment.verdict == "promising"


def measure_verdicts(cases: int, trials: int) -> list[Figure]:
    """Measure how often noise, and a planted rule, are called promising."""
    figures = [Figure("Sharpe ratio of the planted rule, one instrument", "", measure_planted())]
    for kind in ("independent", "correlated", "factor", "planted"):
        promising = sum(judge(kind, seed, trials) for seed in range(cases))
        limit, direction = (0.9, "min") if kind == "planted" else (0.05, "max")
        name = f"promising, {kind}, {cases} cases of {_CALIBRATED} instruments"
        figures.append(Figure(name, "", promising / cases, limit, direction))  # type: ignore[arg-type]
    return figures


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100, help="of a search")
    parser.add_argument("--cases", type=int, default=0, help="researches of each kind to judge")
    given = parser.parse_args()
    figures = measure_costs(given.trials)
    if given.cases:
        figures += measure_verdicts(given.cases, 12)
    publish("universe", figures)


if __name__ == "__main__":
    main()
