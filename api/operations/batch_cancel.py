"""Cancels many operations at once, as one batch operation of Temporal."""

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from typing import Final

from pydantic import Field
from temporalio.api.batch.v1 import BatchOperationCancellation
from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from api.listing.filters import RUNNING, TOP_LEVEL, OperationFilter
from api.operations.schemas import BatchCancel, BatchCancelResponse
from api.temporal_calls import RPC_TIMEOUT, call_temporal, send_request
from errors import InvalidInput, TemporalUnavailable
from workflows.interface.contract import ACTIVE, ACTIVITY_STEPS

_MOST_IDS = 1000
_MOST_CANCELS: Final = 32


class BatchSelection(OperationFilter):
    """Which operations to cancel, and why."""

    reason: str = Field("", max_length=500)
    dry_run: bool = False

    def require_filter(self) -> None:
        """Check that the selection has a filter that can match something.

        Raises:
            InvalidInput: It has none, so it would match everything. Or it can match nothing.
        """
        if self.operation_type in ACTIVITY_STEPS:
            raise InvalidInput(
                f"operation_type: {self.operation_type} is cancelled with its research; "
                "cancel agent_research",
                field="operation_type",
            )
        if not self.model_fields_set & {"owner", "symbol", "operation_type", "status"}:
            raise InvalidInput(
                "name an owner, symbol, operation_type or status: an empty filter would cancel "
                "everything",
                field="owner",
            )
        if self.status not in (None, *ACTIVE):
            raise InvalidInput(
                f"`status` {self.status}: only pending and running operations can be cancelled",
                field="status",
            )


class BatchCanceller:
    """Cancels all operations that match a filter."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def cancel(self, selection: BatchSelection) -> BatchCancelResponse:
        """Cancel every running operation that matches the filter.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        # A step is cancelled with its research, never by itself.
        query = f"{selection.make_query()} AND {RUNNING} AND {TOP_LEVEL}"
        pages = self._client.list_workflows(query, page_size=_MOST_IDS, rpc_timeout=RPC_TIMEOUT)
        await call_temporal(pages.fetch_next_page())
        matched = await call_temporal(self._client.count_workflows(query, rpc_timeout=RPC_TIMEOUT))
        batch_id = None
        if not selection.dry_run and matched.count:
            if selection.reason:
                await self._give_reason(pages.current_page or (), selection.reason)
            batch_id = await self._start_batch(query, selection.reason or "cancelled together")
        return BatchCancelResponse(
            data=BatchCancel(
                dry_run=selection.dry_run,
                matched=matched.count,
                operation_ids=[execution.id for execution in pages.current_page or ()],
                batch_id=batch_id,
            )
        )

    async def _give_reason(self, executions: Sequence[WorkflowExecution], reason: str) -> None:
        """Cancel the listed operations with the reason.

        Temporal keeps the reason of a batch with the batch, and passes none on. A cancel that fails
        here is repeated by the batch.
        """
        at_once = asyncio.Semaphore(_MOST_CANCELS)

        async def cancel(execution: WorkflowExecution) -> None:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            async with at_once:
                with contextlib.suppress(RPCError, TemporalUnavailable):
                    await call_temporal(handle.cancel(reason=reason, rpc_timeout=RPC_TIMEOUT))

        await asyncio.gather(*map(cancel, executions))

    async def _start_batch(self, query: str, reason: str) -> str:
        batch_id = str(uuid.uuid4())
        request = StartBatchOperationRequest(
            namespace=self._client.namespace,
            visibility_query=query,
            job_id=batch_id,
            reason=reason,
            cancellation_operation=BatchOperationCancellation(identity=self._client.identity),
        )
        await send_request(self._client.workflow_service.start_batch_operation, request)
        return batch_id
