"""Lists of operations, read from Temporal's visibility store."""

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from api.cursors import make_cursor, read_cursor
from api.operations.description import CLOSED_STATUS, TYPE_OF_WORKFLOW
from api.operations.schemas import OperationListResponse, OperationSummary
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from quant.messages.data import Symbol
from workflows import search_attributes
from workflows.contract import (
    PHASE_START,
    PHASE_STEP,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.messages import Owner

# Executions, and Temporal's token for the next page if there is one.
_Rows = tuple[Sequence[WorkflowExecution], bytes | None]

# The largest page that Temporal returns.
_LARGEST_PAGE = 1000

RUNNING = "ExecutionStatus = 'Running'"
_QUEUED = f"{search_attributes.RESEARCH_PHASE.name} = '{Phase.QUEUED}'"
_NO_PHASE = f"{search_attributes.RESEARCH_PHASE.name} IS NULL"

# A step is resumed with its research.
_RESUMABLE = (
    "ExecutionStatus IN ('Failed', 'TimedOut', 'Canceled', 'Terminated') "
    f"AND {search_attributes.PARENT_OPERATION_ID.name} IS NULL"
)

_WHERE_STATUS = {
    OperationStatus.PENDING: f"{RUNNING} AND {_QUEUED}",
    OperationStatus.RUNNING: f"{RUNNING} AND ({_NO_PHASE} OR NOT {_QUEUED})",
    OperationStatus.COMPLETED: "ExecutionStatus = 'Completed'",
    OperationStatus.FAILED: "ExecutionStatus IN ('Failed', 'TimedOut')",
    OperationStatus.CANCELLED: "ExecutionStatus IN ('Canceled', 'Terminated')",
}


class OperationFilter(BaseModel):
    """Which operations. The values enter a query, so they may contain no quotes."""

    model_config = ConfigDict(extra="forbid")

    status: OperationStatus | None = None
    operation_type: OperationType | None = None
    owner: Owner | None = None
    symbol: Symbol | None = None
    active_only: bool = False

    def make_query(self) -> str:
        """Return the visibility query."""
        names = ", ".join(
            f"'{name}'"
            for name, each in TYPE_OF_WORKFLOW.items()
            if self.operation_type in (None, each)
        )
        # Designs and assessments are activities; no list of workflows shows them.
        terms = [f"WorkflowType IN ({names})" if names else "WorkflowType = ''"]
        if self.status is not None:
            terms.append(_WHERE_STATUS[self.status])
        if self.owner is not None:
            terms.append(f"{search_attributes.OWNER.name} = '{self.owner}'")
        if self.symbol is not None:
            terms.append(f"{search_attributes.SYMBOL.name} = '{self.symbol}'")
        if self.active_only:
            terms.append(RUNNING)
        return " AND ".join(f"({term})" for term in terms)


class OperationPage(OperationFilter):
    """Which page of which operations."""

    resumable: bool = Field(False, description="Only operations that can be resumed")
    limit: int = Field(10, ge=1, le=_LARGEST_PAGE)
    offset: int = Field(0, ge=0, le=10_000)
    cursor: str | None = Field(None, max_length=4000)

    def make_query(self) -> str:
        """Return the visibility query."""
        query = super().make_query()
        return f"{query} AND {_RESUMABLE}" if self.resumable else query


class OperationList:
    """Lists the operations of a namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, page: OperationPage) -> OperationListResponse:
        """Return one page of operations, newest first within the page.

        Raises:
            InvalidInput: The cursor is not one that this API returned.
            TemporalUnavailable: Temporal does not answer.
        """
        query = page.make_query()
        (rows, token), total, active = await call_temporal(
            asyncio.gather(
                self._fetch_page(query, page),
                self._client.count_workflows(query, rpc_timeout=RPC_TIMEOUT),
                self._client.count_workflows(f"{query} AND {RUNNING}", rpc_timeout=RPC_TIMEOUT),
            )
        )
        return OperationListResponse(
            data=sorted(map(_make_summary, rows), key=lambda row: row.created_at, reverse=True),
            total_count=total.count,
            active_count=active.count,
            next_cursor=make_cursor(token) if token else None,
        )

    async def _fetch_page(self, query: str, page: OperationPage) -> _Rows:
        """Return the rows of the page. Skips the rows before its offset."""
        token = read_cursor(page.cursor) if page.cursor else None
        whole, rest = divmod(page.offset, _LARGEST_PAGE)
        for size in [_LARGEST_PAGE] * whole + [rest] * bool(rest):
            _, token = await self._fetch(query, size, token)
            if token is None:
                return (), None
        return await self._fetch(query, page.limit, token)

    async def _fetch(self, query: str, size: int, token: bytes | None) -> _Rows:
        pages = self._client.list_workflows(
            query, page_size=size, next_page_token=token, rpc_timeout=RPC_TIMEOUT
        )
        await pages.fetch_next_page()
        return pages.current_page or (), pages.next_page_token


def _make_summary(execution: WorkflowExecution) -> OperationSummary:
    attributes = execution.typed_search_attributes
    phase = search_attributes.read_phase(attributes)
    status = CLOSED_STATUS.get(execution.status or WorkflowExecutionStatus.RUNNING)
    if status is None:
        pending = phase is Phase.QUEUED
        status = OperationStatus.PENDING if pending else OperationStatus.RUNNING
    completed = status is OperationStatus.COMPLETED
    ended = execution.close_time
    return OperationSummary(
        operation_id=execution.id,
        operation_type=TYPE_OF_WORKFLOW[execution.workflow_type],
        status=status,
        created_at=execution.start_time,
        completed_at=ended,
        progress_percentage=100.0 if completed else PHASE_START[phase] if phase else 0.0,
        current_step=PHASE_STEP[phase] if phase else None,
        phase=phase,
        symbol=attributes.get(search_attributes.SYMBOL),
        owner=attributes.get(search_attributes.OWNER),
        verdict=attributes.get(search_attributes.VERDICT),
        duration_seconds=(ended - execution.start_time).total_seconds() if ended else None,
    )
