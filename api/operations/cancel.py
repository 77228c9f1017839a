"""Cancels exactly one operation.

To cancel a step is to cancel its research. So the request to Temporal names the top-level workflow,
which passes the cancel on to its running step. The request is pinned to the run that was described.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.description import ResolvedWorkflow, get_closed_status
from api.operations.resolver import Resolver
from api.operations.schemas import CancelAccepted, OperationCancelled, OperationCancelResponse
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import NotCancellable, NotResearch, TemporalUnavailable
from workflows.contract import ACTIVE, ACTIVITY_STEPS, OperationStatus, OperationType
from workflows.ids import parse_step_id


@dataclass(frozen=True)
class _Outcome:
    """A cancel that was accepted.

    Attributes:
        child: The step that was running.
        stopped_at: When the work stopped. None while it is stopping.
    """

    child: str | None
    stopped_at: datetime | None


class Canceller:
    """Cancels one operation."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def cancel_research(
        self, operation_id: str, *, reason: str | None = None, wait_seconds: float
    ) -> CancelAccepted:
        """Cancel a research. Existence is checked first, then type, then state.

        Args:
            operation_id: The id of the research.
            reason: The reason that Temporal records.
            wait_seconds: How long to wait for the work to stop.

        Raises:
            OperationNotFound: No operation has this id.
            NotResearch: It is another kind of operation.
            NotCancellable: It has ended.
            TemporalUnavailable: Temporal does not answer.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in ACTIVITY_STEPS:
            operation = await self._resolver.find_operation(operation_id)
            raise NotResearch(
                f"{operation_id} is of type {operation.operation_type}, not a research."
            )
        workflow = await self._resolver.find_workflow(operation_id)
        if workflow.operation_type is not OperationType.RESEARCH:
            kind = workflow.operation_type or workflow.description.workflow_type
            raise NotResearch(f"{operation_id} is of type {kind}, not a research.")
        outcome = await _cancel(workflow, wait_seconds, reason=reason)
        stopped = outcome.stopped_at is not None
        return CancelAccepted(
            operation_id=operation_id,
            child_cancelled=outcome.child,
            status="cancelled" if stopped else "cancelling",
            message="Research cancelled" if stopped else "Accepted; the work is stopping",
        )

    async def cancel_operation(
        self, operation_id: str, *, reason: str | None, force: bool, wait_seconds: float
    ) -> OperationCancelResponse:
        """Cancel an operation of any type. A step is cancelled with its research.

        Args:
            operation_id: The id of a research or of any step.
            reason: The reason that Temporal records.
            force: Whether to terminate. The workflow then cannot clean up or record its end.
            wait_seconds: How long to wait for the work to stop.

        Raises:
            OperationNotFound: No operation has this id.
            NotCancellable: It has ended.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self._resolver.find_operation(operation_id)
        if operation.status not in ACTIVE:
            raise _make_already_ended(operation_id, operation.status)
        top = await self._resolver.find_workflow(operation.parent_operation_id or operation_id)
        outcome = await _cancel(top, wait_seconds, reason=reason, force=force)
        return OperationCancelResponse(
            data=OperationCancelled(
                operation_id=operation_id,
                status="cancelled" if outcome.stopped_at else "cancelling",
                cancelled_at=outcome.stopped_at,
                cancellation_reason=reason,
                forced=force,
                children_cancelled=[outcome.child] if outcome.child else [],
            )
        )


async def _cancel(
    workflow: ResolvedWorkflow,
    wait_seconds: float,
    *,
    reason: str | None = None,
    force: bool = False,
) -> _Outcome:
    if workflow.closed_status:
        raise _make_already_ended(workflow.handle.id, workflow.closed_status)
    if force:
        request = workflow.handle.terminate(reason=reason, rpc_timeout=RPC_TIMEOUT)
    else:
        request = workflow.handle.cancel(reason=reason or "", rpc_timeout=RPC_TIMEOUT)
    try:
        await call_temporal(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # It has ended since it was described. A terminate then fails. A cancel fails only if
        # Temporal no longer keeps the workflow.
    end, closed_at = await _wait_for_end(workflow, wait_seconds)
    if end not in (None, OperationStatus.CANCELLED):
        # It ended by itself between the description and the cancel.
        raise _make_already_ended(workflow.handle.id, end)
    return _Outcome(workflow.running_child, closed_at)


async def _wait_for_end(
    workflow: ResolvedWorkflow, wait_seconds: float
) -> tuple[OperationStatus | None, datetime | None]:
    """Return how and when a workflow ended, or None if it still runs.

    Temporal has accepted the cancel. So a failure to answer is no longer an error.
    """
    if wait_seconds:
        with contextlib.suppress(WorkflowFailureError, RPCError, TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await workflow.handle.result(follow_runs=False)
    with contextlib.suppress(RPCError, TemporalUnavailable):
        description = await call_temporal(workflow.handle.describe(rpc_timeout=RPC_TIMEOUT))
        return get_closed_status(description), description.close_time
    return None, None


def _make_already_ended(operation_id: str, status: OperationStatus) -> NotCancellable:
    return NotCancellable(f"{operation_id} is already {status}.")
