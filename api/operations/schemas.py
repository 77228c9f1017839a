"""Bodies of requests and answers about operations.

The command imports this module. So it must not import Temporal, FastAPI or the ledger's database.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.envelope import Data, Page
from quant.messages.base import FrozenModel
from quant.messages.campaign import CampaignResult
from quant.messages.steps import (
    AssessmentResult,
    BacktestResult,
    DesignResult,
    TrainingResult,
)
from quant.messages.training_metrics import IterationMetrics, TrainingMetrics
from quant.messages.understood import Understood
from quant.search.progress import BEST_SHARPE, LUCK_SHARPE
from workflows.interface.contract import Attempt, OperationInfo, OperationStatus, OperationType
from workflows.interface.messages import ResearchResult


class CancelAccepted(BaseModel):
    """A cancel has been accepted and will not be lost."""

    success: Literal[True] = True
    operation_id: str
    child_cancelled: str | None = Field(description="Step that was told to stop")
    status: Literal["cancelled", "cancelling"]
    message: str


class CancelRequest(BaseModel):
    """How to cancel."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "no longer needed"}]}
    )

    reason: str | None = Field(None, max_length=500, description="Reason to record with the cancel")
    force: bool = Field(False, description="Terminate without clean-up")


class OperationCancelled(BaseModel):
    """An operation whose cancel has been accepted and will not be lost."""

    operation_id: str
    status: Literal["cancelled", "cancelling"]
    cancelled_at: datetime | None = Field(description="Null while the work is stopping")
    cancellation_reason: str | None
    forced: bool
    children_cancelled: list[str] = Field(description="Steps that were told to stop")
    task_cancelled: bool = Field(description="Whether the operation has ended")
    remote_cancelled: bool = Field(description="Whether a step was running, and has stopped")


class OperationCancelResponse(Data[OperationCancelled]):
    """Answer to a cancel of any operation."""


class BatchCancel(BaseModel):
    """A batch cancel."""

    dry_run: bool
    matched: int = Field(description="Number of operations that match the filter")
    operation_ids: list[str] = Field(description="IDs of matching operations, at most 1,000")
    batch_id: str | None = Field(
        description="ID of Temporal's batch operation; null in a dry run or without a match"
    )


class BatchCancelResponse(Data[BatchCancel]):
    """Answer to a cancel of many operations."""


class OperationResponse(Data[OperationInfo]):
    """One operation."""


class OperationSummary(BaseModel):
    """One row of a list."""

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    created_at: datetime
    completed_at: datetime | None = None
    progress_percentage: float
    current_step: str | None = None
    attempt: Attempt | None = Field(
        None, description="Of the step that it is at; null between steps and after the end"
    )
    step_seconds_left: float | None = Field(
        None, description="How long the running step still takes at its pace so far"
    )
    phase: str | None = None
    symbol: str | None = None
    symbols: list[str] = Field(
        default_factory=list, description="Its instruments, if it works on several"
    )
    owner: str | None = None
    priority: int | None = None
    goal: str | None = None
    understood: Understood | None = Field(
        None, description="What a research was understood to be about"
    )
    verdict: str | None = None
    items_processed: int = Field(0, description="Trials of a design, iterations of a training")
    items_total: int | None = None
    best_sharpe: float | None = Field(
        None, description="Best score of a running search so far: an annualised Sharpe ratio"
    )
    luck_sharpe: float | None = Field(
        None, description="The best score expected by chance of so many trials"
    )
    place_in_line: int | None = Field(
        None,
        description="Among the steps that wait for a slot of the same workers, by priority and "
        "time; Temporal shares the slots between owners. Only where all operations are looked at: "
        "in `/operations/events`",
    )
    retry_of: str | None = None
    cancel_requested: bool = False
    cancellation_reason: str | None = None
    forced: bool = False
    duration_seconds: float | None = Field(
        None, description="From its creation to its end, or until now"
    )

    @classmethod
    def of(cls, operation: OperationInfo, *, verdict: str | None = None) -> "OperationSummary":
        """Return an operation as one row. The row has the values of the operation."""
        shared = {
            name: getattr(operation, name)
            for name in cls.model_fields
            if name in OperationInfo.model_fields
        }
        return cls(
            **shared,
            progress_percentage=operation.progress.percentage,
            current_step=operation.progress.current_step or None,
            symbol=operation.metadata.symbol,
            symbols=operation.metadata.symbols,
            verdict=verdict,
            items_processed=operation.progress.items_processed,
            items_total=operation.progress.items_total,
            best_sharpe=_get_figure(operation, BEST_SHARPE),
            luck_sharpe=_get_figure(operation, LUCK_SHARPE),
        )


def _get_figure(operation: OperationInfo, name: str) -> float | None:
    """Return a figure that a step reports with its progress."""
    figure = operation.progress.context.get(name)
    return figure if isinstance(figure, float) else None


class OperationListResponse(Page[OperationSummary]):
    """One page of operations; `next_cursor` fetches the next."""

    active_count: int
    next_cursor: str | None = None


class ChildrenResponse(Page[OperationSummary]):
    """The steps of an operation, in the order in which they began."""

    active_count: int


class ResultsResponse(BaseModel):
    """The result of an operation; empty if it failed or was cancelled before it had one."""

    success: Literal[True] = True
    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    results: (
        ResearchResult
        | DesignResult
        | TrainingResult
        | BacktestResult
        | AssessmentResult
        | CampaignResult
        | dict[str, Any]
    )


RESULT_OF: dict[OperationType, type[FrozenModel]] = {
    OperationType.RESEARCH: ResearchResult,
    OperationType.DESIGN: DesignResult,
    OperationType.TRAINING: TrainingResult,
    OperationType.BACKTEST: BacktestResult,
    OperationType.ASSESSMENT: AssessmentResult,
    OperationType.CAMPAIGN: CampaignResult,
}
"""The type of the `result_summary` of an operation."""


class Epoch(BaseModel):
    """One boosting iteration. Losses are binary cross-entropies."""

    epoch: int
    fold: int | None = Field(description="Counted from 1; null for the final model")
    train_loss: float
    val_loss: float | None = Field(description="Null for the final model, which has no test bars")

    @classmethod
    def from_iteration(cls, point: IterationMetrics) -> "Epoch":
        """Convert to the field names of the API."""
        return cls(
            epoch=point.iteration,
            fold=point.fold,
            train_loss=point.train_loss,
            val_loss=point.valid_loss,
        )


class EpochMetrics(BaseModel):
    """A training so far; empty for an operation that does not train."""

    epochs: list[Epoch] = []
    best_epoch: int | None = Field(None, description="Iteration with the lowest validation loss")
    best_val_loss: float | None = None
    total_epochs_planned: int = Field(0, description="Iterations of all folds and the final model")
    total_epochs_completed: int = 0

    @classmethod
    def from_training(cls, metrics: TrainingMetrics) -> "EpochMetrics":
        """Summarise the metrics of a training."""
        validated = [point for point in metrics.history if point.valid_loss is not None]
        best = min(validated, key=lambda point: point.valid_loss or 0.0, default=None)
        return cls(
            epochs=[Epoch.from_iteration(point) for point in metrics.history],
            best_epoch=best and best.iteration,
            best_val_loss=best and best.valid_loss,
            total_epochs_planned=metrics.iterations_planned,
            total_epochs_completed=metrics.iterations_completed,
        )


class OperationMetrics(BaseModel):
    """Metrics of one operation; those of a research are those of its training."""

    operation_id: str
    operation_type: OperationType
    metrics: EpochMetrics


class MetricsResponse(Data[OperationMetrics]):
    """Metrics by iteration."""


class ResumedFrom(BaseModel):
    """Where an operation continues."""

    checkpoint_type: Literal["cancellation", "failure"] = Field(
        description="How the previous run ended"
    )
    created_at: datetime = Field(description="When the previous run ended")
    epoch: int | None = Field(description="Training iterations that are not repeated")


class Resumed(BaseModel):
    """An operation that continues."""

    operation_id: str
    status: Literal[OperationStatus.PENDING] = OperationStatus.PENDING
    resumed_from: ResumedFrom


class ResumeResponse(Data[Resumed]):
    """Answer to a resume."""


class Difference(BaseModel):
    """A value that differs."""

    name: str = Field(description="Path within the record, with dots")
    recorded: JsonValue
    reproduced: JsonValue


class Reproduced(BaseModel):
    """The outcome of a reproduction."""

    success: Literal[True] = True
    operation_id: str
    reproduces: str
    identical: bool = Field(description="Whether strategy and results are identical bit for bit")
    differences: list[Difference]
    versions: list[Difference] = Field(description="Libraries whose versions differ")
