"""What the ledger keeps of a research: its request, its strategy and its outcome."""

from temporalio import workflow

from quant.messages.data import DataSource
from storage.ledger.records import Experiment
from workflows.interface.contract import OperationInfo
from workflows.interface.messages import FinishedSteps, ResearchInput, ResearchResult


def make_experiment(
    request: ResearchInput,
    info: OperationInfo,
    finished: FinishedSteps,
    result: ResearchResult | None,
    bars: DataSource,
) -> Experiment:
    """Return the record of a research that has ended. Its end is the present time."""
    return Experiment(
        operation_id=info.operation_id,
        status=info.status.value,
        owner=request.owner,
        symbol=request.symbol,
        timeframe=request.timeframe,
        seed=finished.seed,
        designer=request.designer,
        model=request.model,
        brief=request.brief,
        data_hash=bars.content_hash,
        strategy=finished.spec and finished.spec.model_dump(mode="json"),
        metrics=result.model_dump(mode="json") if result else None,
        verdict=result.verdict if result else None,
        error=info.error_message or info.step_error,
        cancellation_reason=info.cancellation_reason,
        progress=info.progress.percentage,
        request=request.request.model_dump(mode="json"),
        reproduces=request.reproduces and request.reproduces.operation_id,
        started_at=info.created_at,
        finished_at=workflow.now(),
    )
