"""Bodies of answers about artifacts."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.envelope import Data
from quant.messages.base import FrozenModel
from workflows.interface.owned import Owner


class OldArtifacts(FrozenModel):
    """Which artifacts to delete by their age."""

    older_than_days: int = Field(
        ge=0, le=36_500, description="Only of operations that wrote nothing for so many days"
    )
    owner: Owner | None = None
    resumable: bool = Field(
        False, description="Also those that a failed or cancelled operation could be resumed from"
    )
    dry_run: bool = Field(False, description="Delete nothing, and tell what would be deleted")
    limit: int = Field(100, ge=1, le=1000, description="Operations at most")


class ArtifactFile(BaseModel):
    """An artifact."""

    operation_id: str = Field(description="Operation ID of the step that wrote it")
    name: str
    size_bytes: int
    modified_at: datetime


class StoredArtifacts(BaseModel):
    """The artifacts of an operation and of its steps."""

    operation_id: str
    artifacts: list[ArtifactFile]
    size_bytes: int
    deleted_at: datetime | None = Field(description="When they were deleted, if they were")


class StoredArtifactsResponse(Data[StoredArtifacts]):
    """What an operation has stored."""


class DeletedArtifacts(BaseModel):
    """What was deleted of an operation."""

    operation_id: str
    artifacts: int = Field(description="How many; 0 if they had been deleted before")
    size_bytes: int
    deleted_at: datetime


class DeletedArtifactsResponse(Data[DeletedArtifacts]):
    """The artifacts of an operation are gone for good."""


class KeptArtifacts(BaseModel):
    """Why the artifacts of an operation were not deleted."""

    operation_id: str
    reason: str
    message: str


class OldArtifactsDeleted(BaseModel):
    """What was deleted by age, or would be."""

    dry_run: bool
    operation_ids: list[str] = Field(description="Those that wrote nothing for longest come first")
    artifacts: int
    size_bytes: int
    kept: list[KeptArtifacts] = Field(description="Old enough, but in use")
    more: bool = Field(description="Whether the same request would find more")


class OldArtifactsDeletedResponse(Data[OldArtifactsDeleted]):
    """The outcome of a deletion by age."""
