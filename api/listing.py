"""Lists of operations, straight from Temporal visibility."""

import base64
import binascii

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from api.resolver import CLOSED_STATUS, RPC_TIMEOUT, TYPE_OF_WORKFLOW, answered
from api.schemas import OperationListResponse, OperationSummary
from errors import InvalidInput
from workflows import search_attributes
from workflows.contract import (
    PHASE_START,
    PHASE_STEP,
    OperationStatus,
    OperationType,
    Phase,
)

_RUNNING = "ExecutionStatus = 'Running'"
_QUEUED = f"{search_attributes.RESEARCH_PHASE.name} = '{Phase.QUEUED}'"

_WHERE_STATUS = {
    OperationStatus.PENDING: f"{_RUNNING} AND {_QUEUED}",
    OperationStatus.RUNNING: f"{_RUNNING} AND NOT {_QUEUED}",
    OperationStatus.COMPLETED: "ExecutionStatus = 'Completed'",
    OperationStatus.FAILED: "ExecutionStatus IN ('Failed', 'TimedOut')",
    OperationStatus.CANCELLED: "ExecutionStatus IN ('Canceled', 'Terminated')",
}


async def list_operations(
    client: Client,
    *,
    status: OperationStatus | None,
    operation_type: OperationType | None,
    owner: str | None,
    active_only: bool,
    limit: int,
    offset: int,
    cursor: str | None,
) -> OperationListResponse:
    """Return one page of operations, newest first within the page.

    Raises:
        InvalidInput: the cursor is not one that an earlier page gave.
        TemporalUnavailable: Temporal does not answer.
    """
    where = _where(status, operation_type, owner, active_only)
    pages = client.list_workflows(
        where,
        page_size=limit + offset,
        next_page_token=_token(cursor) if cursor else None,
        rpc_timeout=RPC_TIMEOUT,
    )
    await answered(pages.fetch_next_page())
    page = list(pages.current_page or ())[offset:]
    total = await answered(client.count_workflows(where, rpc_timeout=RPC_TIMEOUT))
    active = await answered(
        client.count_workflows(f"{where} AND {_RUNNING}", rpc_timeout=RPC_TIMEOUT)
    )
    rows = [_summary(execution) for execution in page]
    return OperationListResponse(
        data=sorted(rows, key=lambda row: row.created_at, reverse=True),
        total_count=total.count,
        active_count=active.count,
        next_cursor=base64.urlsafe_b64encode(pages.next_page_token).decode()
        if pages.next_page_token
        else None,
    )


def _where(
    status: OperationStatus | None,
    operation_type: OperationType | None,
    owner: str | None,
    active_only: bool,
) -> str:
    """Build the visibility query. `owner` has been validated to hold no quotes."""
    names = ", ".join(
        f"'{name}'" for name, each in TYPE_OF_WORKFLOW.items() if operation_type in (None, each)
    )
    # Designs and assessments are activities; no list of workflows shows them.
    terms = [f"WorkflowType IN ({names})" if names else "WorkflowType = ''"]
    if status is not None:
        terms.append(_WHERE_STATUS[status])
    if owner is not None:
        terms.append(f"{search_attributes.OWNER.name} = '{owner}'")
    if active_only:
        terms.append(_RUNNING)
    return " AND ".join(f"({term})" for term in terms)


def _token(cursor: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(cursor.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidInput("cursor is not one that this API gave", field="cursor") from error


def _summary(execution: WorkflowExecution) -> OperationSummary:
    attributes = execution.typed_search_attributes
    value = attributes.get(search_attributes.RESEARCH_PHASE)
    phase = Phase(value) if value else None
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
