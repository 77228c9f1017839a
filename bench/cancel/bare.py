"""The steps of a research as plain SDK workflows, without the cancel guard."""

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes

with workflow.unsafe.imports_passed_through():
    from activities.jobs import AssessmentTask, BacktestTask, DesignTask, TrainingTask
    from activities.research import ResearchActivities
    from quant.messages.data import DataSource
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
    from quant.search.plan import SearchPlan
    from storage.ledger.records import Experiment
    from workflows import policies
    from workflows.interface.contract import Phase
    from workflows.interface.search_attributes import RESEARCH_PHASE

BARE_QUEUE = "bare"
QUEUED = TypedSearchAttributes([SearchAttributePair(RESEARCH_PHASE, Phase.QUEUED)])
"""With these at its start, a bare workflow shows in lists what ours shows there."""
_SEED = 0  # Plan.GO_THROUGH


def _is_in_lists() -> bool:
    return workflow.info().typed_search_attributes.get(RESEARCH_PHASE) is not None


def _enter(phase: Phase) -> None:
    if _is_in_lists():
        workflow.upsert_search_attributes([RESEARCH_PHASE.value_set(phase)])


def _leave_queue() -> None:
    if _is_in_lists():
        workflow.upsert_search_attributes([RESEARCH_PHASE.value_unset()])


@workflow.defn
class BareTraining:
    """One activity."""

    @workflow.run
    async def run(self, task: TrainingTask) -> TrainingResult:
        """Run the activity."""
        _leave_queue()
        return await policies.run_compute(ResearchActivities.train, task, summary="")


@workflow.defn
class BareBacktest:
    """One activity."""

    @workflow.run
    async def run(self, task: BacktestTask) -> BacktestResult:
        """Run the activity."""
        _leave_queue()
        return await policies.run_compute(ResearchActivities.backtest, task, summary="")


@workflow.defn
class BareResearch:
    """Design, training, backtest, assessment and record, without a cancel guard."""

    @workflow.run
    async def run(self, trials: int = 1, seed: int = _SEED) -> AssessmentResult:
        """Run one step after the other. A cancel of a step is awaited."""
        own = workflow.info().workflow_id
        data = DataSource()
        began = workflow.now()
        children = QUEUED if _is_in_lists() else None
        _enter(Phase.DESIGNING)
        design = await policies.run_compute(
            ResearchActivities.design,
            DesignTask(
                operation_id=own,
                input=DesignInput(data=data, trials=trials, seed=seed),
                plan=SearchPlan(),
            ),
            summary="",
        )
        assert isinstance(design, DesignResult)
        _enter(Phase.TRAINING)
        training = await workflow.execute_child_workflow(
            BareTraining.run,
            TrainingTask(
                operation_id=own, input=TrainingInput(data=data, spec=design.spec, seed=seed)
            ),
            cancellation_type=policies.CHILD_CANCELLATION,
            search_attributes=children,
        )
        _enter(Phase.BACKTESTING)
        backtest = await workflow.execute_child_workflow(
            BareBacktest.run,
            BacktestTask(
                operation_id=own,
                training_id=own,
                input=BacktestInput(
                    data=design.data.source,
                    spec=design.spec,
                    seed=seed,
                    model_sha256=training.model_sha256,
                ),
            ),
            cancellation_type=policies.CHILD_CANCELLATION,
            search_attributes=children,
        )
        _enter(Phase.ASSESSING)
        assessment = await policies.run_compute(
            ResearchActivities.assessment,
            AssessmentTask(
                operation_id=own,
                design_id=own,
                training_id=own,
                backtest_id=own,
                input=AssessmentInput(
                    operation_id=own,
                    data=data,
                    spec=design.spec,
                    seed=seed,
                    training=training,
                    backtest=backtest,
                ),
            ),
            summary="",
        )
        _enter(Phase.DONE)
        await policies.record(
            ResearchActivities.record_experiment,
            Experiment(
                operation_id=own,
                status="completed",
                owner="bare",
                symbol=data.symbol,
                timeframe=data.timeframe,
                seed=seed,
                started_at=began,
                finished_at=workflow.now(),
            ),
            summary="",
        )
        return assessment
