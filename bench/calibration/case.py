"""One series with one research on it, or with many that share a ledger."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from activities.inline_research import run_inline
from bench.calibration import series
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.record.trials import EarlierTrials
from quant.messages.steps import AssessmentResult
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface.messages import ResearchRequest

_SYMBOL: Final = "SERIES"
_TRIALS: Final = ResearchRequest().trials
_REMEMBERED: Final = 50


@dataclass(frozen=True)
class Case:
    """A series to research.

    Attributes:
        group: Name of the group in which the case is counted.
        kind: Of noise, or of the planted rule.
        seed: Of the series and of the first research.
        strength: Annual Sharpe ratio of the rule after cost; None for noise.
        fate: What becomes of the rule where the holdout begins.
        researches: How many go on one after the other, each with what is known from those before.
        looks: At which look at the holdout the first research is judged.
    """

    group: str
    kind: str
    seed: int
    strength: float | None = None
    fate: series.Fate = "lives"
    researches: int = 1
    looks: int = 1

    def make_table(self) -> Any:
        """Return the series as a table of bars."""
        if self.strength is None:
            return series.noise(self.kind, self.seed)
        return series.planted(self.kind, self.strength, self.seed, self.fate)


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: The case.
        verdicts: Of its researches, in their order.
        figures: Statistics of the last research; None if a gate stopped it.
        missed: Names of the conditions that the last research did not meet.
    """

    case: Case
    verdicts: tuple[str, ...]
    figures: dict[str, Any] | None
    missed: tuple[str, ...]

    @property
    def is_promising(self) -> bool:
        """Whether any verdict is."""
        return "promising" in self.verdicts

    def to_row(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Outcome":
        """Return what `to_row` returned, also after a round trip through JSON."""
        verdicts, missed = tuple(row["verdicts"]), tuple(row["missed"])
        return cls(Case(**row["case"]), verdicts, row["figures"], missed)


def run(case: Case) -> Outcome:
    """Run the researches of a case in a new ledger."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        home = Path(folder)
        case.make_table().to_csv(home / f"{_SYMBOL}.csv", index=False)
        ledger = Ledger(f"sqlite:///{home / 'ledger.db'}")
        ledger.upgrade()
        _look_before(ledger, home, case.looks - 1)
        results = [
            _research(home, ledger, seed=case.seed + 1_000_000 * number)
            for number in range(case.researches)
        ]
        ledger.close()
    last = results[-1]
    return Outcome(
        case,
        verdicts=tuple(each.verdict for each in results),
        figures=None if last.statistics is None else last.statistics.model_dump(),
        missed=tuple(each.name for each in last.conditions if not each.passed),
    )


def _look_before(ledger: Ledger, home: Path, looks: int) -> None:
    """Record looks of other strategies, which have found nothing."""
    if not looks:
        return
    data = load_bars(DataSource(symbol=_SYMBOL), home).describe().source
    for number in range(looks):
        name = f"earlier {number}"
        ledger.looks.record(name, data, fingerprint=name, model_sha256=name)


def _research(home: Path, ledger: Ledger, seed: int) -> AssessmentResult:
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
            neighbours=False,
        ).assessment
