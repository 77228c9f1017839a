"""Cancelling many at once, as one batch operation of Temporal."""

import uuid

from pydantic import Field
from temporalio.api.batch.v1 import BatchOperationCancellation
from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.client import Client

from api.operations.list import RUNNING, OperationFilter
from api.operations.schemas import BatchCancel, BatchCancelResponse
from api.temporal_calls import RPC_TIMEOUT, answered, sent
from errors import InvalidInput
from workflows import search_attributes

_IDS_SHOWN = 1000


class BatchSelection(OperationFilter):
    """Which operations to cancel, and why."""

    reason: str = Field("", max_length=500)
    dry_run: bool = False


def require_selective(selection: BatchSelection) -> None:
    """Return if a selection has a filter.

    Raises:
        InvalidInput: it has none, so that it would match everything.
    """
    if not selection.model_fields_set & {"owner", "symbol", "operation_type", "status"}:
        raise InvalidInput(
            "name an owner, symbol, operation_type or status: an empty filter would cancel "
            "everything",
            field="owner",
        )


async def cancel_many(client: Client, selection: BatchSelection) -> BatchCancelResponse:
    """Cancel every running operation that matches the filter.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    # A step is cancelled with its research, never by itself.
    top_level = f"{search_attributes.PARENT_OPERATION_ID.name} IS NULL"
    query = f"{selection.where()} AND {RUNNING} AND {top_level}"
    found = client.list_workflows(query, page_size=_IDS_SHOWN, rpc_timeout=RPC_TIMEOUT)
    await answered(found.fetch_next_page())
    matched = await answered(client.count_workflows(query, rpc_timeout=RPC_TIMEOUT))
    batch_id = None
    if not selection.dry_run and matched.count:
        batch_id = str(uuid.uuid4())
        request = StartBatchOperationRequest(
            namespace=client.namespace,
            visibility_query=query,
            job_id=batch_id,
            reason=selection.reason or "cancelled together",
            cancellation_operation=BatchOperationCancellation(identity=client.identity),
        )
        await sent(client.workflow_service.start_batch_operation, request)
    return BatchCancelResponse(
        data=BatchCancel(
            dry_run=selection.dry_run,
            matched=matched.count,
            operation_ids=[execution.id for execution in found.current_page or ()],
            batch_id=batch_id,
        )
    )
