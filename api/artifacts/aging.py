"""Deletes the artifacts of operations that have written nothing for a long time."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from api.artifacts.deleter import ArtifactDeleter, refuse_used
from api.artifacts.marks import MARKS, get_top_id
from api.artifacts.schemas import KeptArtifacts, OldArtifacts, OldArtifactsDeleted
from errors import ArtifactsInUse, ArtifactsUnavailable
from storage.artifacts import ArtifactInfo, ArtifactStore

# Each costs a question to Temporal.
_MOST_LOOKS: Final = 2000
_AT_ONCE: Final = 16
_MOST_KEPT_SHOWN: Final = 100


@dataclass(frozen=True)
class _Old:
    """An operation that has written nothing for long."""

    operation_id: str
    files: tuple[ArtifactInfo, ...]

    @property
    def written_at(self) -> datetime:
        return max(each.modified_at for each in self.files)

    @property
    def size(self) -> int:
        return sum(each.size for each in self.files)


class AgingArtifacts:
    """The artifacts of all operations, by their age.

    Every method raises TemporalUnavailable, LedgerUnavailable or ArtifactsUnavailable if that one
    does not answer.
    """

    def __init__(self, artifacts: ArtifactStore, deleter: ArtifactDeleter) -> None:
        self._artifacts = artifacts
        self._deleter = deleter

    async def delete(self, selection: OldArtifacts) -> OldArtifactsDeleted:
        """Delete what nobody needs, the oldest first. Operations in use are kept and named.

        An owner's key never learns of what belongs to others, nor of what belongs to nobody known.
        """
        before = datetime.now(UTC) - timedelta(days=selection.older_than_days)
        old = [each for each in await self._find_all() if each.written_at <= before]
        old.sort(key=lambda each: (each.written_at, each.operation_id))
        waiting = deque(old[:_MOST_LOOKS])
        deleted: list[_Old] = []
        kept: list[KeptArtifacts] = []
        while waiting and len(deleted) < selection.limit:
            most = min(_AT_ONCE, selection.limit - len(deleted), len(waiting))
            some = [waiting.popleft() for _ in range(most)]
            outcomes = await asyncio.gather(*(self._delete(each, selection) for each in some))
            deleted += [each for each, done in zip(some, outcomes, strict=True) if done is True]
            kept += [each for each in outcomes if isinstance(each, KeptArtifacts)]
        return OldArtifactsDeleted(
            dry_run=selection.dry_run,
            operation_ids=[each.operation_id for each in deleted],
            artifacts=sum(len(each.files) for each in deleted),
            size_bytes=sum(each.size for each in deleted),
            kept=kept[:_MOST_KEPT_SHOWN],
            more=bool(waiting) or len(old) > _MOST_LOOKS,
        )

    async def _delete(self, old: _Old, selection: OldArtifacts) -> bool | KeptArtifacts:
        """Return whether it was deleted, or would be; or why it was kept."""
        found = await self._deleter.find(old.operation_id)
        if selection.owner not in (None, found and found.owner):
            return False
        try:
            if found is not None:
                refuse_used(old.operation_id, found, resumable=selection.resumable)
            if not selection.dry_run:
                await self._deleter.delete(old.operation_id, resumable=selection.resumable)
        except (ArtifactsInUse, ArtifactsUnavailable) as error:
            return KeptArtifacts(
                operation_id=old.operation_id, reason=error.reason, message=error.message
            )
        return True

    async def _find_all(self) -> list[_Old]:
        """Return every operation that has artifacts, those of its steps included."""
        files: dict[str, list[ArtifactInfo]] = {}
        for folder, found in (await self._artifacts.list()).items():
            mine = [info for name, info in found.items() if name not in MARKS]
            files.setdefault(get_top_id(folder), []).extend(mine)
        return [_Old(name, tuple(each)) for name, each in files.items() if each]
