"""Run researches on noise and on planted signals, and count the promising verdicts.

Results are kept in `bench/calibration.jsonl` in the state directory, one line for each case. So a
run may be interrupted, or go in pieces, and continues where it stopped.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

# Before the numerical libraries are loaded: one process per core does the work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from bench.calibration.case import Case, Outcome, run
from bench.calibration.plan import FIRST_SEED, GROUPS, list_evenly
from bench.calibration.rates import count_campaigns, count_groups
from bench.figures import publish
from quant.processes import die_with_parent
from settings import load_settings


def main() -> None:
    """Measure what is asked for, and publish all that was ever measured in this file."""
    asked = _parse_arguments()
    path = asked.results or load_settings().home / "bench" / "calibration.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {_key(outcome.case) for outcome in read_outcomes(path)}
    groups = [group for group in GROUPS if asked.group in (None, group.name)]
    cases = [
        case
        for case in list_evenly(groups, asked.first_seed, asked.series)
        if _key(case) not in known
    ]
    with (
        path.open("a") as results,
        ProcessPoolExecutor(
            asked.processes, multiprocessing.get_context("spawn"), initializer=die_with_parent
        ) as pool,
    ):
        for outcome in pool.map(run, cases[: asked.most], chunksize=1):
            results.write(json.dumps(outcome.to_row()) + "\n")
            results.flush()
    outcomes = list(read_outcomes(path))
    publish("calibration", [*count_groups(outcomes), *count_campaigns(outcomes)])


def read_outcomes(path: Path) -> Iterator[Outcome]:
    """Yield what was measured before."""
    if path.exists():
        for line in path.read_text().splitlines():
            yield Outcome.from_row(json.loads(line))


def _key(case: Case) -> str:
    return json.dumps(asdict(case), sort_keys=True)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.calibration", description=__doc__)
    parser.add_argument("--group", choices=[group.name for group in GROUPS], help="one group only")
    parser.add_argument("--series", type=int, help="series of each kind, instead of the plan's")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--most", type=int, help="run at most so many cases now")
    parser.add_argument("--processes", type=int, help="default: one per core")
    parser.add_argument("--results", type=Path, help="file of results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
