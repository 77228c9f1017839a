"""How a research grows with its bars, against the loop that one would write by hand.

The plain loop does the same work in one process, with the same candidates, folds and models and one
thread each. Its features, positions and returns are whole arrays, and a formula takes the place of
an account of every trade. It has no checkpoints, no record and no report.
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Before the numerical libraries are loaded: threads are for folds, not within them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd

from activities.inline_research import run_inline
from bench.calibration.series import to_table
from bench.figures import Figure, publish
from quant.backtest import metrics
from quant.backtest.random_entries import compute_position_returns
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.learning.boosting import derive_seed
from quant.learning.splits import SEARCH_FOLDS, TRAINING_FOLDS, split_walk_forward
from quant.messages.data import DataSource
from quant.messages.strategy import StrategySpec
from quant.processes import die_with_parent
from quant.search.scorer import keeps_trading
from quant.search.space import Space
from quant.strategy.features import compute_labels, count_warm_up, list_centres
from quant.strategy.positions import decide_positions
from quant.strategy.table import compute_features
from storage.artifacts import ArtifactStore

SIZES: Final = (5_000, 500_000)
TRIALS: Final = 100
SEED: Final = 1
SOURCE: Final = DataSource(symbol="SERIES", timeframe="15m")


@dataclass(frozen=True)
class Cost:
    """What a computation cost.

    Attributes:
        seconds: By the clock.
        processor_seconds: Of all cores together.
        mebibytes: Most memory that was in use.
    """

    seconds: float
    processor_seconds: float
    mebibytes: float


def run_ours(home: Path) -> None:
    """Run a whole research."""
    run_inline(
        SOURCE,
        trials=TRIALS,
        seed=SEED,
        store=ArtifactStore(str(home)),
        data_dir=home,
        bypass_gates=True,
    )


def run_plain_loop(home: Path) -> None:
    """Search, train and test in one loop."""
    bars = load_bars(SOURCE, home)
    development, holdout = bars.split()
    best = find_best_plainly(development, TRIALS)
    _walk_forward(development, best, TRAINING_FOLDS)
    model = _fit(
        compute_features(development, best),
        compute_labels(development, best.horizon),
        best,
        0,
    )
    probabilities = _predict(model, compute_features(bars, best))[bars.holdout_start :]
    for multiple in (0.0, 1.0, 2.0):
        _sharpe(holdout, probabilities, best, multiple)


def find_best_plainly(development: Bars, trials: int) -> StrategySpec:
    """Search in one loop."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = Space.make(len(development))
    sampler = optuna.samplers.TPESampler(seed=derive_seed(SEED, 0))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for parameters in space.list_first_candidates():
        study.enqueue_trial(parameters)
    best: tuple[float, StrategySpec] | None = None
    for _ in range(trials):
        trial = study.ask()
        spec = space.suggest(trial)
        sharpe = _walk_forward(development, spec, SEARCH_FOLDS)
        if sharpe is None:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        study.tell(trial, sharpe)
        if best is None or sharpe > best[0]:
            best = sharpe, spec
    assert best is not None
    return best[1]


def score_plainly(development: Bars, parameters: Iterable[Mapping[str, Any]]) -> None:
    """Score these candidates in one loop."""
    space = Space.make(len(development))
    for each in parameters:
        spec = space.suggest(optuna.trial.FixedTrial({"mirrored": False, **each}))
        _walk_forward(development, spec, SEARCH_FOLDS)


def _walk_forward(bars: Bars, spec: StrategySpec, folds: int) -> float | None:
    features, outcome = compute_features(bars, spec), compute_labels(bars, spec.horizon)
    split = split_walk_forward(
        count_warm_up(features), len(bars), folds=folds, horizon=spec.horizon
    )
    predicted = [
        _predict(
            _fit(features[fold.train], outcome[fold.train], spec, fold.number), features[fold.test]
        )
        for fold in split
    ]
    tested = bars.slice(split[0].test.start, len(bars))
    return _sharpe(tested, np.concatenate(predicted), spec, 1.0)


def _fit(features: Floats, outcome: Floats, spec: StrategySpec, number: int) -> lgb.Booster:
    known = np.isfinite(features).all(axis=1) & ~np.isnan(outcome)
    features, outcome = features[known], outcome[known]
    if spec.model.mirrored:
        centres = list_centres(spec)
        images = np.where(np.isnan(centres), features, 2.0 * centres - features)
        features, outcome = np.concatenate([features, images]), np.append(outcome, 1.0 - outcome)
    parameters = spec.model.model_dump(exclude={"num_iterations", "mirrored"})
    return lgb.train(
        {
            **parameters,
            "objective": "binary",
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
            "seed": derive_seed(SEED, number),
        },
        lgb.Dataset(features, label=outcome),
        num_boost_round=spec.model.num_iterations,
    )


def _predict(model: lgb.Booster, features: Floats) -> Floats:
    return np.asarray(model.predict(features, num_threads=1), dtype=np.float64)


def _sharpe(bars: Bars, probabilities: Floats, spec: StrategySpec, multiple: float) -> float | None:
    # The position that was decided at a close is held from the next open on.
    held = np.roll(decide_positions(probabilities, spec).astype(np.float64), 1)
    held[0] = 0.0
    if not keeps_trading(held[:, np.newaxis]):
        return None
    return metrics.sharpe(compute_position_returns(bars, held, spec.costs.times(multiple)))


def write_bars(count: int, home: Path) -> None:
    """Write noise as a user's file."""
    rng = np.random.default_rng(SEED)
    table = to_table(rng.normal(0.0, 0.002, count), np.exp(rng.normal(0.0, 0.4, count)), rng)
    table["timestamp"] = pd.date_range("2000-01-03", periods=count, freq="15min", tz="UTC")
    table.to_parquet(home / f"{SOURCE.symbol}_{SOURCE.timeframe}.parquet")


def measure(work: Callable[[Path], None], count: int) -> Cost:
    """Do the work in this process, and return its cost."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        write_bars(count, Path(folder))
        began, processor_began = time.perf_counter(), time.process_time()
        work(Path(folder))
        return Cost(
            seconds=time.perf_counter() - began,
            processor_seconds=time.process_time() - processor_began,
            mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )


WORKS: Final = {"plain": run_plain_loop, "ours": run_ours}


def main() -> None:
    """Measure and publish."""
    spawn = multiprocessing.get_context("spawn")
    costs: dict[tuple[str, int], Cost] = {}
    for count in SIZES:
        for name, work in WORKS.items():
            # One process for each, because the peak memory of a process never falls.
            with ProcessPoolExecutor(1, spawn, initializer=die_with_parent) as process:
                costs[name, count] = process.submit(measure, work, count).result()
    figures = []
    small, large = SIZES
    for name in WORKS:
        for count in SIZES:
            cost = costs[name, count]
            title = f"{name}, {TRIALS} trials on {count:,} bars"
            figures += [
                Figure(f"{title}: time", "s", cost.seconds),
                Figure(f"{title}: cores in use", "", cost.processor_seconds / cost.seconds),
                Figure(f"{title}: most memory", "MiB", cost.mebibytes),
            ]
        first, last = costs[name, small], costs[name, large]
        factor = large / small
        figures += [
            Figure(f"{name}: growth of time", "x", last.seconds / first.seconds, factor),
            Figure(f"{name}: growth of memory", "x", last.mebibytes / first.mebibytes, factor),
        ]
    figures += [
        Figure(
            f"time of ours over plain, {count:,} bars",
            "",
            costs["ours", count].seconds / costs["plain", count].seconds,
        )
        for count in SIZES
    ]
    publish("scaling", figures)


if __name__ == "__main__":
    main()
