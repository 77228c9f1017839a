"""Watches: one workflow for each watched strategy, and nothing beside it."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.artifacts.marks import refuse_deleted
from api.listing.visibility import Visibility, quote
from api.memo import read_memo
from api.operations.state.description import get_closed_status
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from api.watches.schemas import NewBars, Watch, WatchCurve, WatchListResponse, WatchPage
from api.watches.watchable import make_watched
from errors import ExperimentNotFound, NotCancellable, TemporalUnavailable, WatchNotFound
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.watch import WatchPoint, WatchRecord, WatchState
from quant.wording import say_missing
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface import search_attributes
from workflows.interface.contract import OperationStatus
from workflows.interface.watches import LOOK_NOW, WATCH, WATCH_WORKFLOW, make_watch_id
from workflows.policies import RESEARCH_QUEUE

# Runs that have continued as new go on under the same id.
_LISTED: Final = f"WorkflowType = '{WATCH_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
_RUNNING: Final = "ExecutionStatus = 'Running'"
_MOST_LISTED: Final = 1000
# How many are told to look at the same time, and for how long altogether.
_MOST_SIGNALS: Final = 32
_TELLING_SECONDS: Final = 10.0
_GONE: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


class Watches:
    """The watches of a namespace.

    Every method raises TemporalUnavailable if Temporal does not answer, and those that name a watch
    raise WatchNotFound if there is none.
    """

    def __init__(self, client: Client, ledger: Ledger, artifacts: ArtifactStore) -> None:
        self._client = client
        self._ledger = ledger
        self._artifacts = artifacts
        self._visibility = Visibility(client)

    async def start(self, research_id: str) -> Watch:
        """Watch the strategy of a research, unless it is watched already.

        A watch that has ended goes on where it was.

        Raises:
            ExperimentNotFound: Nothing is recorded under this id.
            NotWatchable: It has no trained model.
            ArtifactsDeleted: Its model was deleted.
            LedgerUnavailable: The ledger does not answer.
            ArtifactsUnavailable: The artifact store does not answer.
        """
        experiment = await self._ledger.ask(self._ledger.experiments.get, research_id)
        if experiment is None:
            raise ExperimentNotFound(say_missing("experiment", research_id))
        strategy = make_watched(experiment)
        await refuse_deleted(self._artifacts, research_id)
        attributes = search_attributes.make_pairs(
            operation_type=WATCH_WORKFLOW.lower(),
            symbol=strategy.symbol,
            symbols=strategy.symbols,
            owner=experiment.owner,
            strategy=strategy.spec.name,
        )
        state = WatchState(strategy=strategy)
        starting = self._client.start_workflow(
            WATCH_WORKFLOW,
            state,
            id=make_watch_id(research_id),
            task_queue=RESEARCH_QUEUE,
            search_attributes=TypedSearchAttributes(attributes),
            memo={WATCH: state},
            static_summary=f"Watch of {strategy.spec.name} on {strategy.symbol}",
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            rpc_timeout=RPC_TIMEOUT,
        )
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await call_temporal(starting)
        return await self.read(research_id)

    async def read(self, research_id: str) -> Watch:
        """Return one watch."""
        described = await self._describe(research_id)
        watch = await _read_watch(described)
        if watch is None:
            raise _make_not_found(research_id)
        cancel = described.raw_description.workflow_extended_info.cancel_requested
        running = watch.status is OperationStatus.RUNNING
        return watch.model_copy(update={"cancel_requested": cancel and running})

    async def read_page(self, page: WatchPage, owner: str | None) -> WatchListResponse:
        """Return some watches, the newest first.

        Args:
            page: Which part of them.
            owner: Whose. None for all.
        """
        query = _restrict(_LISTED, owner)
        found: dict[str, Watch] = {}
        for row in await self._visibility.find_newest(query, _MOST_LISTED):
            watch = await _read_watch(row)
            # Temporal's filter may disregard case. An earlier run of the same watch comes later.
            if watch is not None and owner in (None, watch.owner):
                found.setdefault(watch.research_id, watch)
        rows = list(found.values())
        return WatchListResponse(
            data=rows[page.offset : page.offset + page.limit], total_count=len(rows)
        )

    async def read_curve(self, research_id: str, most: int) -> WatchCurve:
        """Return the bars that a watch has scored, also after Temporal has forgotten the watch.

        Before its first look has ended there is none.

        Args:
            research_id: Whose strategy is watched.
            most: The longest answer, at least 2. Of more points, so many are taken at even
                distances, the first and the newest included.

        Raises:
            ArtifactsUnavailable: The artifact store does not answer.
        """
        content = await self._artifacts.open(make_watch_id(research_id)).fetch(Artifact.WATCH)
        if content is None:
            raise _make_not_found(research_id)
        record = parse_artifact(WatchRecord, content, Artifact.WATCH)
        return WatchCurve(research_id=research_id, points=_thin(record.points, most))

    async def look(self, research_id: str) -> Watch:
        """Let a watch look for new bars at once.

        Raises:
            NotCancellable: It has ended.
        """
        _, watch = await self._find_running(research_id)
        await self._tell_to_look(research_id)
        return watch

    async def look_at(self, bars: NewBars, owner: str | None) -> WatchListResponse:
        """Let every running watch of these bars look for new ones at once.

        Args:
            bars: What has come.
            owner: Whose watches. None for all.

        Returns:
            The watches that look. Their total count is that of all that should. It is larger if
            there are more than can be listed, or if not all could be told in time.

        Raises:
            TemporalUnavailable: None could be told.
        """
        about = _restrict(
            f"{_LISTED} AND {_RUNNING} AND ({search_attributes.is_about(bars.symbol)})", owner
        )
        rows = await self._visibility.find_newest(about, _MOST_LISTED)
        left = 0
        if len(rows) == _MOST_LISTED:
            left = max(0, await self._visibility.count(about) - len(rows))
        # Temporal may disregard case, and lists a watch that has just ended.
        found = [
            watch
            for row in rows
            if (watch := await _read_watch(row)) is not None
            and bars.timeframe == watch.timeframe
            and bars.symbol in (watch.symbols or (watch.symbol,))
            and owner in (None, watch.owner)
        ]
        looking, missed = await self._tell_all([watch.research_id for watch in found])
        if missed and not looking:
            raise TemporalUnavailable("No watch could be told to look; try again in a moment.")
        data = [watch for watch in found if watch.research_id in looking]
        return WatchListResponse(data=data, total_count=len(data) + missed + left)

    async def cancel(self, research_id: str, wait_seconds: float) -> Watch:
        """Cancel a watch. What it has seen is kept.

        Args:
            research_id: Whose strategy is watched.
            wait_seconds: How long to wait for its end.

        Raises:
            NotCancellable: It has ended.
        """
        handle, _ = await self._find_running(research_id)
        await self._send(handle.cancel(rpc_timeout=RPC_TIMEOUT), research_id)
        if wait_seconds:
            with contextlib.suppress(WorkflowFailureError, RPCError, TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    await handle.result()
        return await self.read(research_id)

    async def _find_running(self, research_id: str) -> tuple[WorkflowHandle[Any, Any], Watch]:
        watch = await self.read(research_id)
        if watch.status is not OperationStatus.RUNNING:
            raise NotCancellable(f"The watch of {research_id} is already {watch.status}.")
        # Not pinned to a run: the watch may continue as new at any moment.
        return self._client.get_workflow_handle(make_watch_id(research_id)), watch

    async def _tell_all(self, research_ids: Sequence[str]) -> tuple[set[str], int]:
        """Return the watches that were told to look, and how many could not be told."""
        told: set[str] = set()
        missed = set(research_ids)
        at_once = asyncio.Semaphore(_MOST_SIGNALS)

        async def tell(research_id: str) -> None:
            async with at_once:
                with contextlib.suppress(NotCancellable):
                    try:
                        await self._tell_to_look(research_id)
                    except TemporalUnavailable:
                        return
                    told.add(research_id)
            missed.discard(research_id)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TELLING_SECONDS):
                await asyncio.gather(*map(tell, research_ids))
        return told, len(missed)

    async def _tell_to_look(self, research_id: str) -> None:
        handle = self._client.get_workflow_handle(make_watch_id(research_id))
        await self._send(handle.signal(LOOK_NOW, rpc_timeout=RPC_TIMEOUT), research_id)

    async def _send(self, call: Any, research_id: str) -> None:
        try:
            await call_temporal(call)
        except RPCError as error:
            if error.status in _GONE:
                raise NotCancellable(f"The watch of {research_id} has just ended.") from None
            raise

    async def _describe(self, research_id: str) -> WorkflowExecutionDescription:
        handle = self._client.get_workflow_handle(make_watch_id(research_id))
        try:
            described = await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status in _GONE:
                raise _make_not_found(research_id) from None
            raise
        if described.workflow_type != WATCH_WORKFLOW:
            raise _make_not_found(research_id)
        return described


async def _read_watch(execution: WorkflowExecution) -> Watch | None:
    """Return a watch, or None for a workflow whose memo is not that of one."""
    state = await read_memo(execution, WATCH, WatchState)
    if state is None or make_watch_id(state.strategy.research_id) != execution.id:
        return None
    status = get_closed_status(execution) or OperationStatus.RUNNING
    return Watch(
        **state.summary.model_dump(),
        research_id=state.strategy.research_id,
        status=status,
        owner=search_attributes.read_owner(execution.typed_search_attributes),
        symbol=state.strategy.symbol,
        symbols=state.strategy.symbols,
        timeframe=state.strategy.timeframe,
        strategy_name=state.strategy.spec.name,
        began_at=state.began_at,
        looked_at=state.looked_at,
        ended_at=execution.close_time,
        problem=state.problem,
    )


def _restrict(query: str, owner: str | None) -> str:
    return query if owner is None else f"{query} AND Owner = {quote(owner)}"


def _thin(points: Sequence[WatchPoint], most: int) -> list[WatchPoint]:
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]


def _make_not_found(research_id: str) -> WatchNotFound:
    return WatchNotFound(say_missing("watch", research_id))
