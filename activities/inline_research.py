"""A research in this process, without Temporal: the same steps, gates and counts.

Benchmarks and the calibration of the verdicts use it, and the fork server to warm up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.record.trials import EarlierTrials, TrialOnBars
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    DesignResult,
    TrainingInput,
    TrainingResult,
)
from quant.messages.strategy import StrategySpec
from quant.steps.assess import StepArtifacts, assess_research
from quant.steps.backtest import backtest_holdout
from quant.steps.design import design_strategy
from quant.steps.train import train_model
from quant.verdict.gates import GateLimits, check_backtest, check_training
from storage.artifacts import ArtifactStore

if TYPE_CHECKING:  # The fork server does not need what a database needs.
    from storage.ledger.ledger import Ledger


_OPERATION_ID: Final = "inline"


@dataclass(frozen=True)
class StepResults:
    """The results of the steps of a research.

    Attributes:
        training: Result of the training.
        backtest: Result of the backtest. None if a gate stopped the research before it.
        assessment: Result of the assessment.
    """

    training: TrainingResult
    backtest: BacktestResult | None
    assessment: AssessmentResult


def run_inline(
    data: DataSource,
    *,
    trials: int,
    seed: int,
    store: ArtifactStore,
    data_dir: Path | None = None,
    ledger: "Ledger | None" = None,
    earlier: EarlierTrials | None = None,
    bypass_gates: bool = False,
    neighbours: bool = True,
) -> StepResults:
    """Compute a research from design to assessment.

    Args:
        data: The bars.
        trials: Number of candidates of the search.
        seed: Seed of all steps.
        store: Where artifacts are written.
        data_dir: Directory of the bars, unless they are built in.
        ledger: Counts trials and looks. Without one, only those of this research count.
        earlier: Trials from which the search starts.
        bypass_gates: Whether to continue when a gate rejects.
        neighbours: Whether to score similar strategies too; the verdict does not depend on them.
    """
    reported: list[TrialOnBars] = []
    design = design_strategy(
        DesignInput(data=data, trials=trials, seed=seed, earlier=earlier),
        data_dir,
        store.open("design"),
        ignore_report,
        reported.append,
    )
    training = train_model(
        TrainingInput(data=data, spec=design.spec, seed=seed),
        data_dir,
        store.open("training"),
        ignore_report,
    )
    decision = check_training(training, GateLimits().training)
    backtest = None
    if decision.passed or bypass_gates:
        backtest = _backtest(design, training, seed, data_dir, store)
        decision = check_backtest(backtest, GateLimits().backtest)
    trials_ever, holdout_looks = design.trials, 1
    if ledger is not None:
        _record(ledger, reported, training, design.spec, seed, looked=backtest is not None)
        bars = training.data.source
        trials_ever, holdout_looks = ledger.trials.count(bars), max(1, ledger.looks.count(bars))
    assessment = assess_research(
        AssessmentInput(
            operation_id=_OPERATION_ID,
            data=data,
            spec=design.spec,
            seed=seed,
            design=design,
            training=training,
            backtest=backtest,
            gate_rejection=None if bypass_gates else decision.reason,
            trials_ever=trials_ever,
            holdout_looks=holdout_looks,
        ),
        StepArtifacts(
            walk_forward=store.open("training").read(Artifact.WALK_FORWARD) or b"",
            curves=store.open("backtest").read(Artifact.CURVES) if backtest else None,
            trials=store.open("design").read(Artifact.TRIALS),
        ),
        data_dir,
        store.open("assessment"),
        ignore_report,
        neighbours=neighbours,
    )
    return StepResults(training, backtest, assessment)


def _backtest(
    design: DesignResult,
    training: TrainingResult,
    seed: int,
    data_dir: Path | None,
    store: ArtifactStore,
) -> BacktestResult:
    model = store.open("training").read(Artifact.MODEL) or b""
    return backtest_holdout(
        BacktestInput(
            data=design.data.source,
            spec=design.spec,
            seed=seed,
            model_sha256=training.model_sha256,
            benchmark_hash=training.benchmark_hash,
        ),
        model.decode(),
        data_dir,
        store.open("backtest"),
        ignore_report,
    )


def _record(
    ledger: "Ledger",
    trials: list[TrialOnBars],
    training: TrainingResult,
    spec: StrategySpec,
    seed: int,
    *,
    looked: bool,
) -> None:
    """Record the trials, and the look at the holdout if there was one."""
    ledger.trials.record(_OPERATION_ID, trials)
    if looked:
        ledger.looks.record(
            _OPERATION_ID,
            training.data.source,
            fingerprint=spec.trial_fingerprint(seed),
            model_sha256=training.model_sha256,
            traded=(training.data.holdout_start, training.data.end),
        )
