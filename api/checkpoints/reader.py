"""Reads and deletes checkpoints.

An operation that has failed or was cancelled can be resumed: a research from its first unfinished
step, a training from its last saved state. Temporal knows how it ended, and the artifact store
holds the state. A deleted checkpoint leaves a mark there, which a resume respects.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from api.checkpoints.schemas import (
    Checkpoint,
    CheckpointListResponse,
    CheckpointSummary,
    CheckpointType,
)
from api.listing.filters import TOP_LEVEL
from api.operations.results import fetch_training_metrics
from api.operations.schemas import EpochMetrics
from api.operations.state.description import TYPE_OF_WORKFLOW, get_closed_status
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import CheckpointNotFound, DamagedArtifact, NotFinished
from quant.messages.artifacts import Artifact
from quant.wording import say_missing
from storage.artifacts import ArtifactInfo, ArtifactStore
from workflows.interface import search_attributes
from workflows.interface.contract import OperationStatus, OperationType
from workflows.interface.ids import make_step_id, parse_step_id

_ENDED_WITHOUT_RESULT: Final = "ExecutionStatus IN ('Failed', 'TimedOut', 'Canceled', 'Terminated')"
# More at once would only wait for each other in a busy server, each against its own time limit.
_MOST_READS: Final = 4

_TYPE_OF_END: Final[dict[OperationStatus, CheckpointType]] = {
    OperationStatus.FAILED: "failure",
    OperationStatus.CANCELLED: "cancellation",
}


@dataclass(frozen=True)
class _Resumable:
    """An operation that has a checkpoint."""

    operation_id: str
    operation_type: OperationType
    description: WorkflowExecutionDescription
    checkpoint_type: CheckpointType
    saved: ArtifactInfo | None
    """The saved state of the training."""

    @property
    def training_id(self) -> str:
        if self.operation_type is OperationType.RESEARCH:
            return make_step_id(self.operation_id, OperationType.TRAINING)
        return self.operation_id

    @property
    def created_at(self) -> datetime:
        if self.checkpoint_type == "periodic" and self.saved is not None:
            return self.saved.modified_at
        return self.description.close_time or self.description.start_time


class Checkpoints:
    """The checkpoints of all operations.

    Every method raises TemporalUnavailable or ArtifactsUnavailable if that one does not answer.
    """

    def __init__(self, client: Client, artifacts: ArtifactStore) -> None:
        self._client = client
        self._artifacts = artifacts
        self._reads = asyncio.Semaphore(_MOST_READS)

    async def list(
        self, *, older_than_days: int | None, limit: int, owner: str | None
    ) -> CheckpointListResponse:
        """Return the operations that can be resumed, the last ended first.

        Args:
            older_than_days: Only those that ended so many days ago or earlier.
            limit: At most so many.
            owner: Whose. None for those of all owners.
        """
        names = ", ".join(
            f"'{name}'"
            for name, each in TYPE_OF_WORKFLOW.items()
            if each is not OperationType.CAMPAIGN
        )
        terms = [
            f"WorkflowType IN ({names})",
            _ENDED_WITHOUT_RESULT,
            TOP_LEVEL,
        ]
        if owner is not None:
            terms.append(f"{search_attributes.OWNER.name} = '{owner}'")
        if older_than_days is not None:
            before = datetime.now(UTC) - timedelta(days=older_than_days)
            terms.append(f"CloseTime <= '{before:%Y-%m-%dT%H:%M:%SZ}'")
        pages = self._client.list_workflows(
            " AND ".join(terms), page_size=limit, rpc_timeout=RPC_TIMEOUT
        )
        await call_temporal(pages.fetch_next_page())
        # A resumed operation has several runs.
        ids = dict.fromkeys(each.id for each in pages.current_page or ())
        found = await asyncio.gather(*map(self._summarise, ids))
        rows = [row for row in found if row is not None]
        return CheckpointListResponse(data=rows, total_count=len(rows))

    async def read(self, operation_id: str) -> Checkpoint:
        """Return the checkpoint of an operation.

        Raises:
            CheckpointNotFound: There is no such operation, or nothing to resume it from.
        """
        found = await self._find(operation_id)
        location = None
        if found.saved is not None:
            artifacts = self._artifacts.open(found.training_id)
            location = artifacts.location(Artifact.CHECKPOINT)
        return Checkpoint(
            operation_id=operation_id,
            operation_type=found.operation_type,
            checkpoint_type=found.checkpoint_type,
            created_at=found.created_at,
            state=await self._read_state(found),
            artifacts_path=location,
        )

    async def delete(self, operation_id: str) -> None:
        """Delete the checkpoint of an operation, which then cannot be resumed.

        Raises:
            CheckpointNotFound: There is no such operation, or nothing to resume it from.
            NotFinished: The operation is active, and would write its next checkpoint.
        """
        found = await self._find(operation_id)
        if found.checkpoint_type == "periodic":
            raise NotFinished(
                f"{operation_id} is active and needs its checkpoint; cancel it first."
            )
        await self._artifacts.open(operation_id).store(Artifact.CHECKPOINT_DELETED, b"")
        await self._artifacts.open(found.training_id).delete(Artifact.CHECKPOINT)

    async def is_deleted(self, operation_id: str) -> bool:
        """Whether the checkpoint of this operation was deleted."""
        mark = await self._artifacts.open(operation_id).describe(Artifact.CHECKPOINT_DELETED)
        return mark is not None

    async def find_deleted(self, operation_ids: Collection[str]) -> set[str]:
        """Return those of these operations whose checkpoints were deleted."""

        async def look(operation_id: str) -> bool:
            async with self._reads:
                return await self.is_deleted(operation_id)

        deleted = await asyncio.gather(*map(look, operation_ids))
        return {each for each, gone in zip(operation_ids, deleted, strict=True) if gone}

    async def _summarise(self, operation_id: str) -> CheckpointSummary | None:
        async with self._reads:
            try:
                found = await self._find(operation_id)
            except CheckpointNotFound:
                return None  # It was resumed, or its checkpoint was deleted.
            return CheckpointSummary(
                operation_id=operation_id,
                operation_type=found.operation_type,
                checkpoint_type=found.checkpoint_type,
                created_at=found.created_at,
                state_summary=await self._read_state(found),
                artifacts_size_bytes=found.saved and found.saved.size,
            )

    async def _find(self, operation_id: str) -> _Resumable:
        step = parse_step_id(operation_id)
        if step is not None:
            raise CheckpointNotFound(
                f"{operation_id[:100]} is a step; it is resumed with its research, {step[0][:100]}."
            )
        description = await self._describe(operation_id)
        operation_type = TYPE_OF_WORKFLOW.get(description.workflow_type)
        if operation_type is None:
            raise _make_not_found(operation_id)
        if operation_type is OperationType.CAMPAIGN:
            raise CheckpointNotFound(
                f"{operation_id[:100]} is a campaign; its members have checkpoints of their own."
            )
        status = get_closed_status(description)
        checkpoint_type = _TYPE_OF_END.get(status) if status else "periodic"
        if checkpoint_type is None:
            raise CheckpointNotFound(f"{operation_id} has completed; nothing is left to resume.")
        if await self.is_deleted(operation_id):
            raise CheckpointNotFound(f"The checkpoint of {operation_id} was deleted.")
        found = _Resumable(operation_id, operation_type, description, checkpoint_type, None)
        saved = await self._artifacts.open(found.training_id).describe(Artifact.CHECKPOINT)
        if saved is None and status is None:
            raise CheckpointNotFound(f"{operation_id} is active and has no checkpoint yet.")
        return _Resumable(operation_id, operation_type, description, checkpoint_type, saved)

    async def _describe(self, operation_id: str) -> WorkflowExecutionDescription:
        handle = self._client.get_workflow_handle(operation_id)
        try:
            return await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise _make_not_found(operation_id) from None
            raise

    async def _read_state(self, found: _Resumable) -> dict[str, Any]:
        """Return how far the operation has come. Clients format what is there as numbers."""
        state: dict[str, Any] = {"operation_type": found.operation_type}
        phase = search_attributes.read_phase(found.description.typed_search_attributes)
        if phase is not None:
            state["step"] = phase
        if found.operation_type is OperationType.BACKTEST:
            return state
        try:
            metrics = await fetch_training_metrics(self._artifacts, found.training_id)
        except DamagedArtifact:
            return state  # One damaged file must not hide all checkpoints.
        if metrics is None:
            return state
        epochs = EpochMetrics.from_training(metrics)
        state |= {
            "epoch": metrics.iterations_completed,
            "total_epochs": metrics.iterations_planned,
        }
        if epochs.epochs:
            state["train_loss"] = epochs.epochs[-1].train_loss
        if epochs.best_val_loss is not None:
            state["best_val_loss"] = epochs.best_val_loss
        return state


def _make_not_found(operation_id: str) -> CheckpointNotFound:
    return CheckpointNotFound(say_missing("operation", operation_id))
