"""A research computed in one process, without Temporal: the same steps, gates and counts."""

from dataclasses import dataclass
from pathlib import Path

from quant import conclusions, steps
from quant.gates import backtest_gate, training_gate
from quant.models import (
    TRIALS,
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DataSource,
    DesignInput,
    TrainingInput,
    TrainingResult,
    unheard,
)
from storage.artifacts import ArtifactStore
from storage.ledger import Ledger
from storage.records import TrialHistory


@dataclass(frozen=True)
class Research:
    """What came of it.

    Attributes:
        training: its result.
        backtest: its result; None if a gate stopped the research before.
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
    home: Path,
    data_dir: Path | None = None,
    ledger: Ledger | None = None,
    bypass_gates: bool = False,
) -> Research:
    """Conduct a research from design to assessment.

    Args:
        data: the bars.
        trials: candidates of the search.
        seed: of all steps.
        home: where artifacts go.
        data_dir: where the bars are, unless they are built in.
        ledger: counts the trials; without one, those of this research are all there are.
        bypass_gates: whether no gate may spare a step.
    """
    store = ArtifactStore(str(home))
    design = steps.design(
        DesignInput(data=data, trials=trials, seed=seed),
        data_dir,
        store.operation("design"),
        unheard,
    )
    training = steps.train(
        TrainingInput(data=data, spec=design.spec, seed=seed),
        data_dir,
        store.operation("training"),
        unheard,
    )
    rejection = None if bypass_gates else training_gate(training).reason
    backtest = None
    if rejection is None:
        model = store.operation("training").read(training.model_artifact) or b""
        backtest = conclusions.backtest(
            BacktestInput(
                data=data, spec=design.spec, seed=seed, model_sha256=training.model_sha256
            ),
            model.decode(),
            data_dir,
            store.operation("backtest"),
            unheard,
        )
        rejection = None if bypass_gates else backtest_gate(backtest).reason
    history = TrialHistory(distinct_trials=design.trials, sharpe_variance=None)
    if ledger is not None:
        made = TRIALS.validate_json(store.operation("design").read(design.trials_artifact) or b"")
        ledger.trials.record("direct", design.data.content_hash, made)
        history = ledger.trials.history(design.data.content_hash)
    assessment = conclusions.assess(
        AssessmentInput(
            operation_id="direct",
            data=data,
            spec=design.spec,
            seed=seed,
            design=design,
            training=training,
            backtest=backtest,
            gate_rejection=rejection,
            trials_ever=history.distinct_trials,
            trials_variance=history.sharpe_variance,
        ),
        store.operation("backtest").read(backtest.curves_artifact) if backtest else None,
        data_dir,
        store.operation("assessment"),
        unheard,
    )
    return Research(training, backtest, assessment)
