"""Deletes the artifacts of an operation.

First a mark is stored that says when they were deleted. Whatever happens later, nobody takes half
of them for all, and a second request deletes the rest.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.artifacts.marks import MARKS, Deletion, read_deletion
from api.artifacts.schemas import ArtifactFile, DeletedArtifacts, StoredArtifacts
from api.operations.resolver import Resolver
from api.operations.state.description import TYPE_OF_WORKFLOW, get_closed_status
from errors import ArtifactsInUse, InvalidInput, OperationNotFound
from quant.messages.artifacts import Artifact
from quant.wording import say_missing
from storage.artifacts import ArtifactInfo, ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface import search_attributes
from workflows.interface.contract import OperationStatus, OperationType
from workflows.interface.ids import make_step_id, parse_step_id
from workflows.interface.watches import WATCH_WORKFLOW

_STEPS: Final = (
    OperationType.DESIGN,
    OperationType.TRAINING,
    OperationType.BACKTEST,
    OperationType.ASSESSMENT,
)
_WORKFLOW_STEPS: Final = (OperationType.TRAINING, OperationType.BACKTEST)


@dataclass(frozen=True)
class FoundOperation:
    """What is known of an operation that has artifacts.

    Attributes:
        active: Whether it, or a step of it, has not ended.
        resumable: Whether it could be resumed from its artifacts.
        owner: None if nobody knows the owner any longer.
    """

    active: bool
    resumable: bool
    owner: str | None


class ArtifactDeleter:
    """Deletes what operations have stored.

    Every method raises TemporalUnavailable, LedgerUnavailable or ArtifactsUnavailable if that one
    does not answer.
    """

    def __init__(self, resolver: Resolver, artifacts: ArtifactStore, ledger: Ledger) -> None:
        self._resolver = resolver
        self._artifacts = artifacts
        self._ledger = ledger

    async def read(self, operation_id: str) -> StoredArtifacts:
        """Return what an operation has stored.

        Raises:
            InvalidInput: It is a step of a research.
            OperationNotFound: No operation has this id.
        """
        _refuse_step(operation_id)
        files = await self._list_files(operation_id)
        deletion = await read_deletion(self._artifacts, operation_id)
        if not files and deletion is None and await self.find(operation_id) is None:
            raise OperationNotFound(say_missing("operation", operation_id))
        return StoredArtifacts(
            operation_id=operation_id,
            artifacts=files,
            size_bytes=sum(each.size_bytes for each in files),
            deleted_at=deletion and deletion.deleted_at,
        )

    async def delete(self, operation_id: str, *, resumable: bool) -> DeletedArtifacts:
        """Delete what an operation has stored. If it is deleted already, nothing happens.

        Args:
            operation_id: The operation, which is not a step of a research.
            resumable: Also if it could be resumed from there. It then cannot be any longer.

        Raises:
            InvalidInput: It is a step of a research.
            OperationNotFound: No operation has this id.
            ArtifactsInUse: The operation is active, or can be resumed.
        """
        _refuse_step(operation_id)
        found = await self.find(operation_id)
        files = await self._list_files(operation_id)
        deletion = await read_deletion(self._artifacts, operation_id)
        if found is not None:
            refuse_used(operation_id, found, resumable=resumable)
        elif not files and deletion is None:
            raise OperationNotFound(say_missing("operation", operation_id))
        if deletion is None or files:
            deletion = Deletion(deleted_at=datetime.now(UTC))
            own = self._artifacts.open(operation_id)
            if found is not None and found.resumable:
                await own.store(Artifact.CHECKPOINT_DELETED, b"")
            await own.store(Artifact.DELETED, deletion.model_dump_json().encode())
            await own.clear(keep=MARKS)
            for step in _STEPS:
                await self._artifacts.open(make_step_id(operation_id, step)).clear()
        return DeletedArtifacts(
            operation_id=operation_id,
            artifacts=len(files),
            size_bytes=sum(each.size_bytes for each in files),
            deleted_at=deletion.deleted_at,
        )

    async def find(self, operation_id: str) -> FoundOperation | None:
        """Return what Temporal, or else the ledger, knows of an operation; None if neither does."""
        try:
            description = await self._resolver.describe(operation_id)
        except OperationNotFound:
            description = None
        if description is not None and description.workflow_type == WATCH_WORKFLOW:
            # A watch that has ended goes on from its artifacts, like an operation that is resumed.
            return FoundOperation(
                active=get_closed_status(description) is None,
                resumable=True,
                owner=description.typed_search_attributes.get(search_attributes.OWNER),
            )
        if description is None or description.workflow_type not in TYPE_OF_WORKFLOW:
            experiment = await self._ledger.ask(self._ledger.experiments.get, operation_id)
            if experiment is None:
                return None
            return FoundOperation(active=False, resumable=False, owner=experiment.owner)
        status = get_closed_status(description)
        steps_active = TYPE_OF_WORKFLOW[
            description.workflow_type
        ] is OperationType.RESEARCH and any(
            await asyncio.gather(
                *(self._is_active(make_step_id(operation_id, step)) for step in _WORKFLOW_STEPS)
            )
        )
        own = self._artifacts.open(operation_id)
        gone = await own.describe(Artifact.CHECKPOINT_DELETED)
        return FoundOperation(
            active=status is None or steps_active,
            resumable=gone is None
            and TYPE_OF_WORKFLOW[description.workflow_type] is not OperationType.CAMPAIGN
            and status in (OperationStatus.FAILED, OperationStatus.CANCELLED),
            owner=description.typed_search_attributes.get(search_attributes.OWNER),
        )

    async def _is_active(self, workflow_id: str) -> bool:
        try:
            return get_closed_status(await self._resolver.describe(workflow_id)) is None
        except OperationNotFound:
            return False

    async def _list_files(self, operation_id: str) -> list[ArtifactFile]:
        """Return the artifacts of an operation and of its steps, without marks."""
        ids = [operation_id, *(make_step_id(operation_id, step) for step in _STEPS)]
        found = await asyncio.gather(*(self._artifacts.open(each).list() for each in ids))
        return [
            _describe_file(each, name, info)
            for each, files in zip(ids, found, strict=True)
            for name, info in sorted(files.items())
            if name not in MARKS
        ]


def refuse_used(operation_id: str, found: FoundOperation, *, resumable: bool) -> None:
    """Check that nothing needs the artifacts of an operation.

    Args:
        operation_id: The operation.
        found: What is known of it.
        resumable: Whether a resume may be made impossible.

    Raises:
        ArtifactsInUse: The operation is active, or can be resumed.
    """
    if found.active:
        raise ArtifactsInUse(f"{operation_id} is active and needs its artifacts; cancel it first.")
    if found.resumable and not resumable:
        raise ArtifactsInUse(
            f"{operation_id} can be resumed from its artifacts; `resumable=true` deletes them all "
            "the same."
        )


def _refuse_step(operation_id: str) -> None:
    step = parse_step_id(operation_id)
    if step is not None:
        raise InvalidInput(
            f"operation_id: {operation_id[:100]} is a step; its artifacts are deleted with those "
            f"of its research, {step[0][:100]}.",
            field="operation_id",
        )


def _describe_file(operation_id: str, name: str, info: ArtifactInfo) -> ArtifactFile:
    return ArtifactFile(
        operation_id=operation_id, name=name, size_bytes=info.size, modified_at=info.modified_at
    )
