"""Lists operations as they are now: one row for each."""

import asyncio
from collections.abc import Sequence
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from api.checkpoints.reader import Checkpoints
from api.listing.filters import TOP_LEVEL, OperationFilter, OperationPage
from api.listing.superseded import SupersededRuns
from api.listing.visibility import Place, Visibility, leave_out
from api.operations.resolver import Resolver
from api.operations.schemas import OperationListResponse, OperationSummary
from api.operations.state.description import describe_execution
from api.operations.state.ending import read_forced_end
from errors import OperationNotFound
from workflows.interface import search_attributes
from workflows.interface.contract import ACTIVE, OperationInfo, OperationStatus

# How many operations are looked at at once, by all requests.
_MOST_LOOKS: Final = 32


class OperationList:
    """Lists the operations of a namespace."""

    def __init__(self, client: Client, resolver: Resolver, checkpoints: Checkpoints) -> None:
        self._client = client
        self._visibility = Visibility(client)
        self._superseded = SupersededRuns(self._visibility)
        self._resolver = resolver
        self._checkpoints = checkpoints
        self._looks = asyncio.Semaphore(_MOST_LOOKS)

    async def read(self, page: OperationPage) -> OperationListResponse:
        """Return one page of operations, newest first.

        Raises:
            InvalidInput: The cursor is not one that this API returned.
            TemporalUnavailable: Temporal does not answer.
            ArtifactsUnavailable: The artifact store, which knows what can no longer be resumed,
                does not answer.
        """
        before = Place.read_cursor(page.cursor) if page.cursor else None
        query = leave_out(page.make_query(), await self._superseded.find())
        if page.resumable:
            query = leave_out(query, await self._find_not_resumable(query))
        runs, (total, active) = await asyncio.gather(
            # One more shows whether there is a next page.
            self._visibility.find_newest(query, page.offset + page.limit + 1, before),
            self._visibility.count_with_active(query),
        )
        shown = runs[page.offset : page.offset + page.limit]
        more = len(runs) > page.offset + page.limit
        latest = _drop_earlier(shown)
        return OperationListResponse(
            data=await asyncio.gather(*map(self._make_row, latest)),
            total_count=total - (len(shown) - len(latest)),
            active_count=active,
            next_cursor=Place.of(shown[-1]).make_cursor() if more else None,
        )

    async def count(self, query: str) -> int:
        """Return how many operations match a query of the visibility store.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        return await self._visibility.count(query)

    async def find(self, query: str, number: int) -> list[tuple[OperationInfo, WorkflowExecution]]:
        """Return the newest operations that match a query, each as it is now.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        query = leave_out(query, await self._superseded.find())
        runs = _drop_earlier(await self._visibility.find_newest(query, number))
        return list(zip(await asyncio.gather(*map(self._describe, runs)), runs, strict=True))

    async def find_active(self, number: int) -> list[OperationSummary]:
        """Return the newest running operations that are no steps of others, as they are now.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        query = f"{OperationFilter(active_only=True).make_query()} AND {TOP_LEVEL}"
        runs = await self._visibility.find_newest(query, number)
        return await asyncio.gather(*map(self._make_row, runs))

    async def find_one(self, operation_id: str) -> OperationSummary:
        """Return one operation as a row, as it is now.

        Raises:
            OperationNotFound: Temporal does not know it, or no longer.
            TemporalUnavailable: Temporal does not answer.
        """
        async with self._looks:
            description = await self._resolver.describe(operation_id)
        return await self._make_row(description)

    async def _find_not_resumable(self, query: str) -> list[str]:
        """Return which of the runs can no longer be resumed: their checkpoints were deleted."""
        runs = await self._visibility.list_all(query)
        deleted = await self._checkpoints.find_deleted([run.id for run in runs])
        return [run.run_id for run in runs if run.id in deleted]

    async def _describe(self, execution: WorkflowExecution) -> OperationInfo:
        """Return a listed operation with its progress, without its result.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        info = await describe_execution(execution)
        if info.status in ACTIVE:
            # Also one that nobody has begun: it may have been cancelled.
            return await self._look(execution, info)
        if execution.status is WorkflowExecutionStatus.TERMINATED:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            async with self._looks:
                return info.model_copy(update=(await read_forced_end(handle)).update)
        return info

    async def _look(self, execution: WorkflowExecution, info: OperationInfo) -> OperationInfo:
        """Return an active operation as it is now. The list may lag behind."""
        async with self._looks:
            try:
                description = await self._resolver.describe_run(execution.id, execution.run_id)
            except OperationNotFound:
                return info
            now = await describe_execution(description)
            if now.status is not OperationStatus.RUNNING:
                return now
            return await self._resolver.add_running_step(now, description)

    async def _make_row(self, execution: WorkflowExecution) -> OperationSummary:
        info = await self._describe(execution)
        attributes = execution.typed_search_attributes
        return OperationSummary.of(info, verdict=attributes.get(search_attributes.VERDICT))


def _drop_earlier(newest_first: Sequence[WorkflowExecution]) -> list[WorkflowExecution]:
    """Return the last run of each operation. One may have been resumed since the list was asked."""
    latest: dict[str, WorkflowExecution] = {}
    for run in newest_first:
        latest.setdefault(run.id, run)
    return list(latest.values())
