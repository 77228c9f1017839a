"""Jobs that are done in this process, as a compute process does them."""

from typing import Any, Final

from activities import jobs
from activities.computing.compute_process import Failure, Message, Order, do_job
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.search import DesignOutcome
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    TrainingInput,
    TrainingResult,
)
from tests.support.helpers import looks_like_a_stack_trace

LONGEST_MESSAGE: Final = 1_000


def do(job: Any, task: jobs.Task, context: jobs.JobContext) -> Message:
    """Do a job as a compute process does, and check what it would tell a user."""
    operation = jobs.JobContext(task.operation_id, context.artifacts_url, context.data_dir)
    order = Order(job, task, operation, {})
    message = Message.model_validate_json(do_job(order, ignore_report))
    if message.failure is not None:
        require_readable(message.failure)
    return message


def require_readable(failure: Failure) -> None:
    """Check that a failure is one of ours: short, in sentences, and without a trace."""
    assert failure.reason != "internal", failure.message
    assert 20 < len(failure.message) < LONGEST_MESSAGE
    assert failure.message.endswith((".", "`"))
    assert not looks_like_a_stack_trace(failure.message)


def research(context: jobs.JobContext, source: DataSource) -> AssessmentResult | Failure:
    """Do all jobs of a research, up to the first that fails."""
    place = f"{source.symbol}-{source.timeframe}"
    designed = do(
        jobs.design,
        jobs.DesignTask(
            operation_id=f"{place}.design", input=DesignInput(data=source, trials=3, seed=1)
        ),
        context,
    )
    if designed.failure:
        return designed.failure
    design = DesignOutcome.model_validate(designed.result).result
    assert design is not None
    inputs = {"data": design.data.source, "spec": design.spec, "seed": 1}
    trained = do(
        jobs.train,
        jobs.TrainingTask(operation_id=f"{place}.training", input=TrainingInput(**inputs)),
        context,
    )
    if trained.failure:
        return trained.failure
    training = TrainingResult.model_validate(trained.result)
    tested = do(
        jobs.backtest,
        jobs.BacktestTask(
            operation_id=f"{place}.backtest",
            training_id=f"{place}.training",
            input=BacktestInput(**inputs, model_sha256=training.model_sha256),
        ),
        context,
    )
    if tested.failure:
        return tested.failure
    backtest = BacktestResult.model_validate(tested.result)
    assessed = do(
        jobs.assess,
        jobs.AssessmentTask(
            operation_id=f"{place}.assessment",
            design_id=f"{place}.design",
            training_id=f"{place}.training",
            backtest_id=f"{place}.backtest",
            input=AssessmentInput(
                operation_id=place, training=training, design=design, backtest=backtest, **inputs
            ),
        ),
        context,
    )
    return assessed.failure or AssessmentResult.model_validate(assessed.result)
