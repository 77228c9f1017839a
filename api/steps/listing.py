"""Lists designs and assessments. They are activities, which no list of workflows shows."""

import asyncio
from typing import Final

from api.listing.filters import OperationPage
from api.listing.operations import OperationList
from api.operations.results import ResultReader
from api.operations.schemas import OperationListResponse, OperationSummary
from errors import InvalidInput, OperationNotFound
from workflows.interface.contract import ACTIVE, ACTIVITY_STEPS, OperationType

# Each costs a query. The steps of earlier researches are found as children of their research.
_MOST_RESEARCHES: Final = 100
_MOST_READS: Final = 16


class ActivitySteps:
    """The designs and assessments of the newest researches."""

    def __init__(self, operations: OperationList, results: ResultReader) -> None:
        self._operations = operations
        self._results = results
        self._reads = asyncio.Semaphore(_MOST_READS)

    async def read(self, page: OperationPage) -> OperationListResponse:
        """Return a page of the steps of one type, newest first.

        Raises:
            InvalidInput: The page has a cursor, which these lists never return.
            TemporalUnavailable: Temporal does not answer.
        """
        if page.cursor is not None:
            raise InvalidInput(
                f"cursor: a list of {page.operation_type} has none; use offset.", field="cursor"
            )
        researches = page.model_copy(
            update={
                "operation_type": OperationType.RESEARCH,
                "status": None,
                "limit": _MOST_RESEARCHES,
                "offset": 0,
            }
        )
        listed = await self._operations.read(researches)
        steps = await asyncio.gather(
            *(self._find_steps(row.operation_id, page) for row in listed.data)
        )
        rows = sorted(
            (step for found in steps for step in found),
            key=lambda row: row.created_at,
            reverse=True,
        )
        return OperationListResponse(
            data=rows[page.offset : page.offset + page.limit],
            total_count=len(rows),
            active_count=sum(row.status in ACTIVE for row in rows),
        )

    async def _find_steps(self, research_id: str, page: OperationPage) -> list[OperationSummary]:
        async with self._reads:
            try:
                children = await self._results.read_children(research_id)
            except OperationNotFound:
                return []  # It was removed meanwhile.
        return [
            row
            for row in children.data
            if row.operation_type is page.operation_type
            and page.status in (None, row.status)
            and (row.status in ACTIVE or not page.active_only)
        ]


def is_activity_step(page: OperationPage) -> bool:
    """Whether the page is of a type that no list of workflows shows."""
    return page.operation_type in ACTIVITY_STEPS
