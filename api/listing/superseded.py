"""Which runs a later run of the same operation has superseded.

Temporal lists runs, and an operation has several if it was resumed here, or was started again or
reset under its id by hand. No query of the visibility store can tell them apart. So all runs are
read once, and from then on those that have started since.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import WorkflowExecution

from api.listing.visibility import Place, Visibility, quote
from api.operations.state.description import TYPE_OF_WORKFLOW

_OURS: Final = f"WorkflowType IN ({', '.join(map(quote, TYPE_OF_WORKFLOW))})"
_MOST_IDS: Final = 200
"""So many operations are named in one query."""
_LONGEST_LAG: Final = timedelta(minutes=1)
"""A run is listed so long after its start at the latest, unless Temporal is in trouble."""
_SECONDS_BETWEEN_FULL_READS: Final = 3600.0
"""A full read also finds what was listed later, and forgets what Temporal no longer keeps."""


@dataclass(frozen=True)
class _Known:
    """What the last look has found."""

    read_at: float
    """Time of the last full read, by the monotonic clock."""
    zero: datetime | None
    """Temporal's time when the monotonic clock was zero, or earlier. None if nothing has run."""
    until: datetime | None
    """Temporal's time when the last look began, or earlier."""
    recent: frozenset[str]
    """The runs that have started within the lag before then, as far as they are known."""
    superseded: frozenset[str]


class SupersededRuns:
    """The runs that are not the last of their operation."""

    def __init__(self, visibility: Visibility) -> None:
        self._visibility = visibility
        self._known: _Known | None = None
        self._look: asyncio.Task[_Known] | None = None

    async def find(self) -> frozenset[str]:
        """Return the ids of these runs. Requests that come at the same time share one look.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._read())
        self._known = await asyncio.shield(self._look)
        return self._known.superseded

    async def _read(self) -> _Known:
        known = self._known
        now = time.monotonic()
        if known is None or not known.until or now - known.read_at > _SECONDS_BETWEEN_FULL_READS:
            runs = await self._visibility.list_all(_OURS)
            return _learn(now, runs, None, now, _find_earlier(runs))
        since = f"{known.until - _LONGEST_LAG:%Y-%m-%dT%H:%M:%S.%fZ}"
        runs = await self._visibility.list_all(f"{_OURS} AND StartTime >= '{since}'")
        new = sorted({run.id for run in runs if run.run_id not in known.recent})
        superseded = known.superseded
        for start in range(0, len(new), _MOST_IDS):
            ids = ", ".join(map(quote, new[start : start + _MOST_IDS]))
            same = await self._visibility.list_all(f"{_OURS} AND WorkflowId IN ({ids})")
            superseded |= _find_earlier(same)
        return _learn(known.read_at, runs, known.zero, now, superseded)


def _learn(
    read_at: float,
    runs: Sequence[WorkflowExecution],
    zero: datetime | None,
    began: float,
    superseded: frozenset[str],
) -> _Known:
    """Return what a look has found that began at this time of the monotonic clock."""
    last = max((run.start_time for run in runs), default=None)
    until = max((t for t in (zero and zero + timedelta(seconds=began), last) if t), default=None)
    # What is listed has started before now. The clocks may differ, but both go on.
    latest = last and last - timedelta(seconds=time.monotonic())
    zero = max((t for t in (zero, latest) if t), default=None)
    recent = {run.run_id for run in runs if until and run.start_time >= until - _LONGEST_LAG}
    return _Known(read_at, zero, until, frozenset(recent), superseded)


def _find_earlier(runs: Sequence[WorkflowExecution]) -> frozenset[str]:
    """Return the ids of all runs but the last of each operation."""
    of_operation: defaultdict[str, list[WorkflowExecution]] = defaultdict(list)
    for run in runs:
        of_operation[run.id].append(run)
    earlier: set[str] = set()
    for same in of_operation.values():
        last = max(same, key=Place.of)
        earlier |= {run.run_id for run in same if run is not last}
    return frozenset(earlier)
