"""One series, researched."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.calibration import series
from bench.direct import conduct
from quant.models import DataSource
from storage.ledger import Ledger
from workflows.messages import ResearchRequest

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
