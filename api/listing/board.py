"""The board: everything that runs now, looked at once a second, however many pages show it."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.agent.workers import WorkerList
from api.listing.filters import OperationFilter
from api.listing.operations import OperationList
from api.listing.pace import Pace
from api.listing.schemas import BoardEvent, BoardHead
from api.operations.schemas import OperationSummary
from errors import Busy, KtrdrError, OperationNotFound
from workflows.interface.contract import ACTIVE, PHASE_OF_STEP, AttemptState, OperationType, Phase
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

SECONDS_BETWEEN_LOOKS: Final = 1.0
# A look at very many operations takes longer than a second. The API also has other work then.
_LEAST_PAUSE: Final = 0.25
_MOST_OPERATIONS: Final = 1000
_MOST_FOLLOWERS: Final = 300

# They change with the time alone. That is no news.
_CLOCKS: Final = frozenset({"duration_seconds", "step_seconds_left"})

_QUEUE_OF_PHASE: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        PHASE_OF_STEP[OperationType.TRAINING]: TRAINING_QUEUE,
        PHASE_OF_STEP[OperationType.BACKTEST]: BACKTEST_QUEUE,
    }
)
_QUEUE_OF_TYPE: Final[Mapping[OperationType, str]] = MappingProxyType(
    {OperationType.TRAINING: TRAINING_QUEUE, OperationType.BACKTEST: BACKTEST_QUEUE}
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Look:
    """What was seen at one moment. `ended` are operations that the look before still had."""

    head: BoardHead
    active: Mapping[str, OperationSummary]
    ended: Mapping[str, OperationSummary]

    def find(self, chosen: OperationFilter) -> dict[str, OperationSummary]:
        """Return the rows that match a filter."""
        rows = {**self.active, **self.ended}
        return {name: row for name, row in rows.items() if chosen.matches(row)}


class Board:
    """Looks at all active operations while somebody follows.

    Args:
        operations: Lists what runs.
        workers: Knows the slots.
        pace: Knows how long a research computes.
    """

    def __init__(self, operations: OperationList, workers: WorkerList, pace: Pace) -> None:
        self._operations = operations
        self._workers = workers
        self._pace = pace
        self._followers = 0
        self._looking: asyncio.Task[None] | None = None
        self._latest: _Look | None = None
        self._change = asyncio.Event()

    @contextlib.asynccontextmanager
    async def follow(self) -> AsyncIterator[None]:
        """Keep the board looking until the context ends.

        Raises:
            Busy: Too many follow already. They would leave no connection for others.
        """
        if self._followers >= _MOST_FOLLOWERS:
            raise Busy("Too many pages follow what runs. Try again later.")
        self._followers += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers and self._looking is not None:
                looking, self._looking, self._latest = self._looking, None, None
                looking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await looking

    async def watch(
        self, chosen: OperationFilter, may_continue: Callable[[], bool]
    ) -> AsyncIterator[BoardEvent]:
        """Yield all matching rows, then those that have changed. Only within `follow`.

        Args:
            chosen: Which operations. One that no longer matches is shown a last time.
            may_continue: Whether the follower may still see them. Asked once a second.
        """
        seen: _Look | None = None
        shown: dict[str, str] = {}
        while may_continue():
            # The event is read before the look. So a later change wakes this follower.
            change, latest = self._change, self._latest
            if latest is None or latest is seen:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SECONDS_BETWEEN_LOOKS):
                        await change.wait()
                continue
            rows = latest.find(chosen)
            rows |= {
                name: row
                for name, row in {**latest.active, **latest.ended}.items()
                if name in shown and name not in rows
            }
            states = {name: _describe_state(row) for name, row in rows.items()}
            changed = [row for name, row in rows.items() if shown.get(name) != states[name]]
            if seen is None or changed or latest.head != seen.head:
                yield BoardEvent(
                    complete=seen is None,
                    head=latest.head,
                    rows=sorted(changed, key=lambda row: row.created_at, reverse=True),
                )
            shown = {name: states[name] for name in rows if rows[name].status in ACTIVE}
            seen = latest

    async def _keep_looking(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self._publish(await self._look())
            except KtrdrError as error:
                # Followers stay connected while Temporal is unavailable, and continue afterwards.
                _log.debug("what runs cannot be looked at: %s", error)
            except Exception:
                _log.exception("what runs cannot be looked at")
            took = time.monotonic() - began
            await asyncio.sleep(max(_LEAST_PAUSE, SECONDS_BETWEEN_LOOKS - took))

    def _publish(self, look: _Look) -> None:
        self._latest = look
        self._change.set()
        self._change = asyncio.Event()

    async def _look(self) -> _Look:
        rows, slots = await asyncio.gather(
            self._operations.find_active(_MOST_OPERATIONS), self._workers.count_slots()
        )
        # One that is listed as running may have ended meanwhile.
        active = {row.operation_id: row for row in rows if row.status in ACTIVE}
        before = self._latest.active if self._latest else {}
        gone = [name for name in before if name not in active]
        found = await asyncio.gather(*map(self._find_ended, gone))
        ended = {row.operation_id: row for row in found if row is not None}
        self._pace.observe(active.values(), ended.values())
        active = {row.operation_id: row for row in number_lines(active.values())}
        return _Look(_make_head(active.values(), slots, await self._pace.read()), active, ended)

    async def _find_ended(self, operation_id: str) -> OperationSummary | None:
        with contextlib.suppress(OperationNotFound):  # It was removed.
            return await self._operations.find_one(operation_id)
        return None


def number_lines(rows: Iterable[OperationSummary]) -> list[OperationSummary]:
    """Return the rows with the places of those that wait for a slot, in line for each queue."""
    rows = list(rows)
    waiting = sorted(filter(_waits, rows), key=lambda row: (_find_queue(row), _find_turn(row)))
    places: dict[str, int] = {}
    for _, line in itertools.groupby(waiting, key=_find_queue):
        places |= {row.operation_id: place for place, row in enumerate(line, start=1)}
    return [row.model_copy(update={"place_in_line": places.get(row.operation_id)}) for row in rows]


def _waits(row: OperationSummary) -> bool:
    return row.attempt is not None and row.attempt.state is AttemptState.WAITING


def _find_turn(row: OperationSummary) -> tuple[int, float, str]:
    since = row.attempt.since if row.attempt and row.attempt.since else row.created_at
    return row.priority or 3, since.timestamp(), row.operation_id


def _find_queue(row: OperationSummary) -> str:
    if row.operation_type is not OperationType.RESEARCH:
        return _QUEUE_OF_TYPE.get(row.operation_type, RESEARCH_QUEUE)
    return _QUEUE_OF_PHASE.get(Phase(row.phase or Phase.QUEUED), RESEARCH_QUEUE)


def _make_head(
    rows: Iterable[OperationSummary], slots: int, seconds_per_research: float | None
) -> BoardHead:
    rows = list(rows)
    states = Counter(row.attempt.state for row in rows if row.attempt)
    return BoardHead(
        active=len(rows),
        computing=states[AttemptState.RUNNING],
        waiting=states[AttemptState.WAITING],
        retrying=states[AttemptState.RETRYING],
        paused=states[AttemptState.PAUSED],
        stopping=sum(row.cancel_requested for row in rows),
        slots=slots,
        seconds_per_research=seconds_per_research,
    )


def _describe_state(row: OperationSummary) -> str:
    return row.model_dump_json(exclude=set(_CLOCKS))
