"""`python -m bench.calibration.watching`: how often a watch is right.

Results are kept in `bench/watching.jsonl` in the state directory, one line for each watch. So a run
may be interrupted, or go in pieces, and continues where it stopped.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, get_args

# Before the numerical libraries are loaded: one process per core does the work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from scipy.stats import binomtest

from bench.calibration.noise import NOISE, RISING
from bench.calibration.planted import PLANTED, RULES
from bench.calibration.replay import UNIVERSES, Case, Replay, Watched, replay
from bench.calibration.series import Fate
from bench.figures import Figure, publish
from quant.bars.bars import TRADING_DAYS_PER_YEAR
from settings import load_settings

FIRST_SEED: Final = 700_000


def main() -> None:
    """Replay what is asked for, and publish all that was ever replayed into this file."""
    asked = _parse_arguments()
    path = asked.results or load_settings().home / "bench" / "watching.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {each.case for each in read_replays(path)}
    seeds = range(asked.first_seed, asked.first_seed + asked.series)
    cases = [case for case in list_cases(asked.watched, seeds) if case not in known]
    with (
        path.open("a") as results,
        ProcessPoolExecutor(
            asked.processes, mp_context=multiprocessing.get_context("spawn")
        ) as pool,
    ):
        for outcome in pool.map(replay, cases, chunksize=1):
            results.write(json.dumps(outcome.to_row()) + "\n")
            results.flush()
    publish("watching", list(count(list(read_replays(path)))))


def list_cases(watched: Watched, seeds: Sequence[int]) -> list[Case]:
    """Return what is to be watched, kinds in turn, so that a piece of them has all kinds."""
    if watched == "best of twelve rules":
        return [Case(watched, kind, seed) for seed in seeds for kind in (*NOISE, *RISING)]
    if watched == "best of twelve rules, 20 instruments":
        return [Case(watched, kind, seed) for seed in seeds for kind in UNIVERSES]
    kinds = tuple(RULES) if watched == "planted rule" else PLANTED
    return [
        Case(watched, kind, seed, fate)
        for seed in seeds
        for kind in kinds
        for fate in get_args(Fate)
    ]


def read_replays(path: Path) -> Iterator[Replay]:
    """Yield what was replayed before."""
    if path.exists():
        for line in path.read_text().splitlines():
            yield Replay.from_row(json.loads(line))


def count(replays: Sequence[Replay]) -> Iterator[Figure]:
    """Yield for every kind of watch how many were confirmed and withdrawn, and how soon."""
    for watched, fate in sorted({(each.case.watched, each.case.fate) for each in replays}):
        found = [each for each in replays if (each.case.watched, each.case.fate) == (watched, fate)]
        yield from _count(f"{watched}, {fate}", found)
        for kind in sorted({each.case.kind for each in found}):
            yield from _count(f"  {kind}", [each for each in found if each.case.kind == kind])


def _count(name: str, found: Sequence[Replay]) -> Iterator[Figure]:
    for decision in ("confirmed", "withdrawn"):
        after = [getattr(each, decision) for each in found]
        times = sorted(each for each in after if each is not None)
        share = binomtest(len(times), len(found))
        interval = share.proportion_ci(method="exact")
        text = f"{name}: {decision} {len(times)} of {len(found)}, %"
        yield Figure(text, "", 100.0 * share.statistic)
        yield Figure("  95 % interval from, %", "", 100.0 * interval.low)
        yield Figure("  to, %", "", 100.0 * interval.high)
        if 2 * len(times) > len(found):
            # What is not decided yet takes longer than all that is.
            median = times[(len(found) - 1) // 2] / TRADING_DAYS_PER_YEAR
            yield Figure("  median, years of daily bars", "", median)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.calibration.watching", description=__doc__)
    parser.add_argument("watched", choices=get_args(Watched), help="what is watched")
    parser.add_argument("--series", type=int, default=90, help="series of each kind")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--processes", type=int, help="default: one per core")
    parser.add_argument("--results", type=Path, help="file of results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
