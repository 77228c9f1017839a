"""Bodies of requests and responses, other than those that the workflows define themselves."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from quant.spec import StrategySpec
from quant.strategies import StrategyEntry
from workflows.contract import OperationInfo, OperationStatus, OperationType


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


class StrategyListResponse(BaseModel):
    """All strategy files."""

    success: Literal[True] = True
    data: list[StrategyEntry]


class StrategyResponse(BaseModel):
    """A valid strategy."""

    success: Literal[True] = True
    data: StrategySpec


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """Whether work can be accepted and done."""

    ready: bool
    temporal: bool
    workers: dict[str, int]
