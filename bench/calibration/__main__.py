"""Research noise and planted signals, and count what is called promising."""

import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Before the numerical libraries are loaded: one process per core does the work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from scipy.stats import binomtest

from bench.calibration import series
from bench.direct import conduct
from bench.figures import Figure, publish
from quant.models import DataSource
from storage.ledger import Ledger
from workflows.messages import ResearchRequest

NOISE_SERIES: Final = 100
PLANTED_SERIES: Final = 40
STRENGTHS: Final = (2.0, 2.5, 3.0)
MOST_FALSE: Final = 0.05
LEAST_FOUND: Final = 0.90

_SYMBOL: Final = "SERIES"
_TRIALS: Final = ResearchRequest().trials


@dataclass(frozen=True)
class Case:
    """A series to research.

    Attributes:
        kind: of noise, or of the planted rule.
        strength: annual Sharpe ratio of the rule after cost; None for noise.
        seed: of the series and of the research.
    """

    kind: str
    strength: float | None
    seed: int

    @property
    def group(self) -> str:
        """What is counted together."""
        return "noise" if self.strength is None else f"planted, Sharpe {self.strength:g}"


def promising(case: Case) -> bool:
    """Research a series that nobody has seen, with a ledger of its own, and return the verdict."""
    made = (
        series.noise(case.kind, case.seed)
        if case.strength is None
        else series.planted(case.kind, case.strength, case.seed)
    )
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        home = Path(folder)
        made.to_csv(home / f"{_SYMBOL}.csv", index=False)
        ledger = Ledger(f"sqlite:///{home / 'ledger.db'}")
        ledger.upgrade()
        research = conduct(
            DataSource(symbol=_SYMBOL),
            trials=_TRIALS,
            seed=case.seed,
            home=home / "artifacts",
            data_dir=home,
            ledger=ledger,
        )
        ledger.close()
    return research.assessment.verdict == "promising"


def cases() -> Iterator[Case]:
    """Yield all series."""
    for kind in series.NOISE:
        yield from (Case(kind, None, seed) for seed in range(NOISE_SERIES))
    for strength in STRENGTHS:
        for kind in series.PLANTED:
            yield from (Case(kind, strength, seed) for seed in range(PLANTED_SERIES))


def main() -> None:
    """Measure and publish."""
    asked = list(cases())
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = list(pool.map(promising, asked, chunksize=4))
    counted: Counter[tuple[str, str]] = Counter()
    called: Counter[tuple[str, str]] = Counter()
    for case, answer in zip(asked, answers, strict=True):
        for kind in (case.kind, "all"):
            counted[case.group, kind] += 1
            called[case.group, kind] += answer
    figures = []
    for (group, kind), number in counted.items():
        share = binomtest(called[group, kind], number)
        interval = share.proportion_ci(method="wilson")
        name = f"{group}, {kind} ({number} series): called promising"
        noise = group == "noise"
        figures += [
            Figure(
                name,
                "",
                share.statistic,
                (MOST_FALSE if noise else LEAST_FOUND) if kind == "all" else None,
                "max" if noise else "min",
            ),
            Figure("95 % interval from", "", interval.low),
            Figure("to", "", interval.high),
        ]
    publish("calibration", figures)


if __name__ == "__main__":
    main()
