"""Run researches on noise and on planted signals, and count the promising verdicts."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Final

# Before the numerical libraries are loaded: one process per core does the work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from scipy.stats import binomtest

from bench.calibration import series
from bench.calibration.case import Case, is_promising
from bench.figures import Figure, publish

NOISE_SERIES: Final = 100
SHARED_SERIES: Final = 30
RESEARCHES: Final = 15
# The market in which luck looks most like skill, and the real one.
THOUSAND: Final = ("a rising market", "resampled S&P 500")
PLANTED_SERIES: Final = 50
STRENGTHS: Final = (1.5, 2.0, 3.0)
# Weaker ones are measured without a target.
FOUND_FROM: Final = 2.0
MOST_FALSE: Final = 0.05
LEAST_FOUND: Final = 0.90


def cases() -> Iterator[Case]:
    """Yield all series, the longest work first."""
    yield from (Case(kind, None, 0, 1_000) for kind in THOUSAND)
    for kind in series.NOISE:
        yield from (Case(kind, None, seed) for seed in range(NOISE_SERIES))
    for kind in series.NOISE:
        yield from (Case(kind, None, seed, RESEARCHES) for seed in range(SHARED_SERIES))
    for strength in STRENGTHS:
        for kind in series.PLANTED:
            yield from (Case(kind, strength, seed) for seed in range(PLANTED_SERIES))


def main() -> None:
    """Measure and publish."""
    asked = list(cases())
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = list(pool.map(is_promising, asked, chunksize=1))
    counted: Counter[tuple[str, str]] = Counter()
    called: Counter[tuple[str, str]] = Counter()
    for case, answer in zip(asked, answers, strict=True):
        for kind in (case.kind, "all"):
            counted[case.group, kind] += 1
            called[case.group, kind] += answer
    weak = {case.group for case in asked if (case.strength or FOUND_FROM) < FOUND_FROM}
    figures = []
    for (group, kind), number in counted.items():
        share = binomtest(called[group, kind], number)
        interval = share.proportion_ci(method="wilson")
        name = f"{group}, {kind} ({number} series): called promising"
        noise = group.startswith("noise")
        target = MOST_FALSE if noise else LEAST_FOUND if group not in weak else None
        figures += [
            Figure(
                name,
                "",
                share.statistic,
                target if kind == "all" else None,
                "max" if noise else "min",
            ),
            Figure("95 % interval from", "", interval.low),
            Figure("to", "", interval.high),
        ]
    publish("calibration", figures)


if __name__ == "__main__":
    main()
