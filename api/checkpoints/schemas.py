"""Bodies of answers about checkpoints."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.envelope import Data, Page
from workflows.interface.contract import OperationType

CheckpointType = Literal["periodic", "cancellation", "failure"]


class CheckpointInfo(BaseModel):
    """That an operation can be resumed, and why it can."""

    operation_id: str
    operation_type: OperationType
    checkpoint_type: CheckpointType = Field(
        description="How the operation ended; `periodic` while its training runs"
    )
    created_at: datetime


class CheckpointSummary(CheckpointInfo):
    """A checkpoint in a list."""

    state_summary: dict[str, Any] = Field(description="Phase (`step`) and iterations (`epoch`)")
    artifacts_size_bytes: int | None = Field(
        description="Of the saved state of the training; null if there is none"
    )


class Checkpoint(CheckpointInfo):
    """A checkpoint."""

    state: dict[str, Any] = Field(
        description="Phase (`step`), and iterations (`epoch`) and losses of the training so far"
    )
    artifacts_path: str | None = Field(
        description="Saved state of the training; null if there is none"
    )


class CheckpointListResponse(Page[CheckpointSummary]):
    """The operations that can be resumed, the last ended first."""


class CheckpointResponse(Data[Checkpoint]):
    """One checkpoint."""


class CheckpointDeleted(BaseModel):
    """A checkpoint is gone for good."""

    success: Literal[True] = True
    message: str
