"""Bodies of requests and responses, other than those that the workflows define themselves."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.operations.training_metrics import EpochMetrics
from quant.messages.steps import AssessmentResult, BacktestResult, DesignResult, TrainingResult
from quant.messages.strategy import StrategySpec
from quant.strategy.strategies import StrategyEntry
from workflows.contract import OperationInfo, OperationStatus, OperationType
from workflows.messages import ResearchResult


class Triggered(BaseModel):
    """A research has been accepted."""

    triggered: Literal[True] = True
    operation_id: str
    model: str
    message: str = "Research cycle started"


class CancelAccepted(BaseModel):
    """A cancel has been accepted and will not be lost."""

    success: Literal[True] = True
    operation_id: str
    child_cancelled: str | None
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
    children_cancelled: list[str]
    task_cancelled: bool = True
    remote_cancelled: bool = True


class OperationCancelResponse(BaseModel):
    """Answer to a cancel of any operation."""

    success: Literal[True] = True
    data: OperationCancelled


class BatchCancel(BaseModel):
    """A batch cancel."""

    dry_run: bool
    matched: int = Field(description="Number of operations that match the filter")
    operation_ids: list[str] = Field(description="IDs of matching operations, at most 1,000")
    batch_id: str | None = Field(
        description="ID of Temporal's batch operation; null in a dry run or without a match"
    )


class BatchCancelResponse(BaseModel):
    """Answer to a cancel of many operations."""

    success: Literal[True] = True
    data: BatchCancel


class OperationResponse(BaseModel):
    """One operation."""

    success: Literal[True] = True
    data: OperationInfo


class OperationSummary(BaseModel):
    """One row of a list."""

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    created_at: datetime
    completed_at: datetime | None = None
    progress_percentage: float
    current_step: str | None = None
    phase: str | None = None
    symbol: str | None = None
    owner: str | None = None
    verdict: str | None = None
    duration_seconds: float | None = None


class OperationListResponse(BaseModel):
    """One page of operations; `next_cursor` fetches the next."""

    success: Literal[True] = True
    data: list[OperationSummary]
    total_count: int
    active_count: int
    next_cursor: str | None = None


class ChildrenResponse(BaseModel):
    """The steps of an operation, in the order in which they began."""

    success: Literal[True] = True
    data: list[OperationSummary]
    total_count: int
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
        | dict[str, Any]
    )


class OperationMetrics(BaseModel):
    """Metrics of one operation; those of a research are those of its training."""

    operation_id: str
    operation_type: OperationType
    metrics: EpochMetrics


class MetricsResponse(BaseModel):
    """Metrics by iteration."""

    success: Literal[True] = True
    data: OperationMetrics


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


class ResumeResponse(BaseModel):
    """Answer to a resume."""

    success: Literal[True] = True
    data: Resumed


class StrategyListResponse(BaseModel):
    """All strategy files."""

    success: Literal[True] = True
    data: list[StrategyEntry]


class StrategyResponse(BaseModel):
    """A valid strategy."""

    success: Literal[True] = True
    data: StrategySpec


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """Whether work can be accepted and done."""

    ready: bool
    temporal: bool
    ledger: bool
    workers: dict[str, int]
