"""The mark that is left in the place of deleted artifacts: it says when they were deleted."""

from datetime import datetime
from typing import Final

from errors import ArtifactsDeleted
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.base import FrozenModel
from storage.artifacts import ArtifactStore
from workflows.interface.ids import parse_step_id

MARKS: Final = frozenset({Artifact.DELETED, Artifact.CHECKPOINT_DELETED})
"""What stays when the artifacts of an operation are deleted."""


class Deletion(FrozenModel):
    """When the artifacts of an operation were deleted."""

    deleted_at: datetime


def get_top_id(operation_id: str) -> str:
    """Return the operation with which the artifacts of this one are deleted."""
    step = parse_step_id(operation_id)
    return step[0] if step else operation_id


async def read_deletion(artifacts: ArtifactStore, operation_id: str) -> Deletion | None:
    """Return when the artifacts of an operation, or of the research of a step, were deleted.

    Raises:
        ArtifactsUnavailable: The artifact store does not answer.
    """
    content = await artifacts.open(get_top_id(operation_id)).fetch(Artifact.DELETED)
    return parse_artifact(Deletion, content, Artifact.DELETED) if content is not None else None


async def refuse_deleted(artifacts: ArtifactStore, operation_id: str) -> None:
    """Check that the artifacts of an operation were not deleted.

    Raises:
        ArtifactsDeleted: They were.
        ArtifactsUnavailable: The artifact store does not answer.
    """
    deletion = await read_deletion(artifacts, operation_id)
    if deletion is not None:
        raise ArtifactsDeleted(
            f"The artifacts of {get_top_id(operation_id)} were deleted on "
            f"{deletion.deleted_at:%Y-%m-%d at %H:%M:%S} UTC. Its record is kept."
        )
