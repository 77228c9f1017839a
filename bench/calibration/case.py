"""One series with one research on it, or with many that share a ledger."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from activities.inline_research import run_inline
from bench.calibration import series
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.trials import EarlierTrials
from storage.artifacts import ArtifactStore
from storage.ledger import Ledger
from workflows.messages import ResearchRequest

_SYMBOL: Final = "SERIES"
_TRIALS: Final = ResearchRequest().trials
_REMEMBERED: Final = 50


@dataclass(frozen=True)
class Case:
    """A series to research.

    Attributes:
        kind: Of noise, or of the planted rule.
        strength: Annual Sharpe ratio of the rule after cost; None for noise.
        seed: Of the series and of the first research.
        researches: How many go on one after the other, each with what is known from those before.
    """

    kind: str
    strength: float | None
    seed: int
    researches: int = 1

    @property
    def group(self) -> str:
        """Name of the group in which the case is counted."""
        if self.strength is not None:
            return f"planted, Sharpe {self.strength:g}"
        return "noise" if self.researches == 1 else f"noise, {self.researches} researches on it"


def is_promising(case: Case) -> bool:
    """Run the researches of a case in a new ledger. Return whether any verdict is promising."""
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
        verdicts = [
            _verdict(home, ledger, seed=case.seed + 1_000_000 * number)
            for number in range(case.researches)
        ]
        ledger.close()
    return "promising" in verdicts


def _verdict(home: Path, ledger: Ledger, seed: int) -> str:
    source = DataSource(symbol=_SYMBOL)
    data_hash = load_bars(source, home).content_hash
    known = EarlierTrials(
        data_hash=data_hash, trials=tuple(ledger.trials.find_best(data_hash, _REMEMBERED))
    )
    # One store for each research, so that none finds the checkpoints of another.
    with tempfile.TemporaryDirectory(dir=home) as artifacts:
        return run_inline(
            source,
            trials=_TRIALS,
            seed=seed,
            store=ArtifactStore(artifacts),
            data_dir=home,
            ledger=ledger,
            earlier=known,
        ).assessment.verdict
