"""The steps of a research as plain SDK workflows: what they lose without the cancel guard."""

from temporalio import workflow

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
    from storage.ledger.records import Experiment
    from workflows import policies

BARE_QUEUE = "bare"
_SEED = 0  # Plan.GO_THROUGH


@workflow.defn
class BareTraining:
    """One activity."""

    @workflow.run
    async def run(self, task: TrainingTask) -> TrainingResult:
        """Run the activity."""
        return await policies.run_compute(ResearchActivities.train, task, summary="")


@workflow.defn
class BareBacktest:
    """One activity."""

    @workflow.run
    async def run(self, task: BacktestTask) -> BacktestResult:
        """Run the activity."""
        return await policies.run_compute(ResearchActivities.backtest, task, summary="")


@workflow.defn
class BareResearch:
    """Design, training, backtest, assessment and record, without a cancel guard."""

    @workflow.run
    async def run(self) -> AssessmentResult:
        """Run one step after the other. A cancel of a step is awaited."""
        own = workflow.info().workflow_id
        data = DataSource()
        began = workflow.now()
        design = await policies.run_compute(
            ResearchActivities.design,
            DesignTask(operation_id=own, input=DesignInput(data=data, trials=1, seed=_SEED)),
            summary="",
        )
        assert isinstance(design, DesignResult)
        training = await workflow.execute_child_workflow(
            BareTraining.run,
            TrainingTask(
                operation_id=own, input=TrainingInput(data=data, spec=design.spec, seed=_SEED)
            ),
            cancellation_type=policies.CHILD_CANCELLATION,
        )
        backtest = await workflow.execute_child_workflow(
            BareBacktest.run,
            BacktestTask(
                operation_id=own,
                training_id=own,
                input=BacktestInput(
                    data=design.data.source,
                    spec=design.spec,
                    seed=_SEED,
                    model_sha256=training.model_sha256,
                ),
            ),
            cancellation_type=policies.CHILD_CANCELLATION,
        )
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
                    seed=_SEED,
                    training=training,
                    backtest=backtest,
                ),
            ),
            summary="",
        )
        await policies.record(
            ResearchActivities.record_experiment,
            Experiment(
                operation_id=own,
                status="completed",
                owner="bare",
                symbol=data.symbol,
                timeframe=data.timeframe,
                seed=_SEED,
                started_at=began,
                finished_at=workflow.now(),
            ),
            summary="",
        )
        return assessment
