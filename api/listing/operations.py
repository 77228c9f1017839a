"""Lists operations as they are now: one row for each."""

import asyncio
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from api.listing.filters import RUNNING, OperationPage
from api.listing.visibility import Place, Visibility, leave_out
from api.operations.description import describe_execution, read_forced_end
from api.operations.resolver import Resolver
from api.operations.schemas import OperationListResponse, OperationSummary
from errors import OperationNotFound
from workflows import search_attributes
from workflows.contract import OperationInfo, OperationStatus

# How many operations are looked at at once, by all requests.
_MOST_LOOKS: Final = 32


class OperationList:
    """Lists the operations of a namespace."""

    def __init__(self, client: Client, resolver: Resolver) -> None:
        self._client = client
        self._visibility = Visibility(client)
        self._resolver = resolver
        self._looks = asyncio.Semaphore(_MOST_LOOKS)

    async def read(self, page: OperationPage) -> OperationListResponse:
        """Return one page of operations, newest first.

        Raises:
            InvalidInput: The cursor is not one that this API returned.
            TemporalUnavailable: Temporal does not answer.
        """
        before = Place.read_cursor(page.cursor) if page.cursor else None
        query = leave_out(page.make_query(), await self._visibility.find_superseded())
        runs, total, active = await asyncio.gather(
            # One more shows whether there is a next page.
            self._visibility.find_newest(query, page.offset + page.limit + 1, before),
            self._visibility.count(query),
            self._visibility.count(f"{query} AND {RUNNING}"),
        )
        shown = runs[page.offset : page.offset + page.limit]
        more = len(runs) > page.offset + page.limit
        return OperationListResponse(
            data=await asyncio.gather(*map(self._make_row, shown)),
            total_count=total,
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
        query = leave_out(query, await self._visibility.find_superseded())
        runs = await self._visibility.find_newest(query, number)
        return list(zip(await asyncio.gather(*map(self._describe, runs)), runs, strict=True))

    async def _describe(self, execution: WorkflowExecution) -> OperationInfo:
        """Return a listed operation with its progress, without its result.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        info = await describe_execution(execution)
        if info.status is OperationStatus.RUNNING:
            return await self._look(execution, info)
        if execution.status is WorkflowExecutionStatus.TERMINATED:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            async with self._looks:
                return info.model_copy(update=await read_forced_end(handle))
        return info

    async def _look(self, execution: WorkflowExecution, info: OperationInfo) -> OperationInfo:
        """Return a running operation as it is now. The list may lag behind."""
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
