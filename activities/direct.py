"""A research computed in one process, without Temporal: the same steps, gates and counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    TrainingInput,
    TrainingResult,
)
from quant.messages.trials import EarlierTrials, TrialOnBars
from quant.steps.assess import StepArtifacts, assess_research
from quant.steps.backtest import backtest_holdout
from quant.steps.design import design_strategy
from quant.steps.train import train_model
from quant.verdict.gates import GateLimits, check_backtest, check_training
from storage.artifacts import ArtifactStore

if TYPE_CHECKING:  # The fork server does not need what a database needs.
    from storage.ledger import Ledger


@dataclass(frozen=True)
class Research:
    """The results of a research.

    Attributes:
        training: its result.
        backtest: its result; None if a gate stopped the research earlier.
        assessment: its result.
    """

    training: TrainingResult
    backtest: BacktestResult | None
    assessment: AssessmentResult


def conduct(
    data: DataSource,
    *,
    trials: int,
    seed: int,
    store: ArtifactStore,
    data_dir: Path | None = None,
    ledger: "Ledger | None" = None,
    earlier: EarlierTrials | None = None,
    bypass_gates: bool = False,
) -> Research:
    """Conduct a research from design to assessment.

    Args:
        data: the bars.
        trials: candidates of the search.
        seed: of all steps.
        store: where artifacts go.
        data_dir: where the bars are, unless they are built in.
        ledger: counts trials and looks; without one, only those of this research count.
        earlier: trials that the search starts from.
        bypass_gates: whether to continue when a gate rejects.
    """
    reported: list[TrialOnBars] = []
    design = design_strategy(
        DesignInput(data=data, trials=trials, seed=seed, earlier=earlier),
        data_dir,
        store.open("design"),
        ignore_report,
        reported.append,
    )
    bars = design.data.source
    training = train_model(
        TrainingInput(data=data, spec=design.spec, seed=seed),
        data_dir,
        store.open("training"),
        ignore_report,
    )
    rejection = None if bypass_gates else check_training(training, GateLimits().training).reason
    backtest = None
    if rejection is None:
        model = store.open("training").read(Artifact.MODEL) or b""
        backtest = backtest_holdout(
            BacktestInput(
                data=bars, spec=design.spec, seed=seed, model_sha256=training.model_sha256
            ),
            model.decode(),
            data_dir,
            store.open("backtest"),
            ignore_report,
        )
        rejection = None if bypass_gates else check_backtest(backtest, GateLimits().backtest).reason
    trials_ever, holdout_looks = design.trials, 1
    if ledger is not None:
        ledger.trials.record("direct", reported)
        if backtest is not None:
            ledger.looks.record(
                "direct",
                bars,
                fingerprint=design.spec.fingerprint(),
                model_sha256=training.model_sha256,
            )
        trials_ever, holdout_looks = ledger.trials.count(bars), max(1, ledger.looks.count(bars))
    assessment = assess_research(
        AssessmentInput(
            operation_id="direct",
            data=data,
            spec=design.spec,
            seed=seed,
            design=design,
            training=training,
            backtest=backtest,
            gate_rejection=rejection,
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
    )
    return Research(training, backtest, assessment)
