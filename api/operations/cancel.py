"""Cancelling exactly one operation.

Cancelling a step cancels its research, so the request to Temporal always names the top-level
workflow, which passes the cancel on to its running step. The request is pinned to the run that was
described.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.description import ResolvedWorkflow, ended_as
from api.operations.resolver import Resolver
from api.operations.schemas import CancelAccepted, OperationCancelled, OperationCancelResponse
from api.temporal_calls import RPC_TIMEOUT, answered
from errors import NotCancellable, NotResearch, TemporalUnavailable
from workflows.contract import ACTIVE, ACTIVITY_STEPS, OperationStatus, OperationType
from workflows.ids import parse_step_id


@dataclass(frozen=True)
class _Outcome:
    """A cancel that was accepted."""

    child: str | None
    stopped_at: datetime | None


class Canceller:
    """Cancels one operation."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def cancel_research(
        self, operation_id: str, *, reason: str | None = None, wait_seconds: float
    ) -> CancelAccepted:
        """Cancel a research. Checks existence, then type, then state.

        Args:
            operation_id: of the research.
            reason: kept with the cancel in Temporal.
            wait_seconds: how long to wait for the work to stop before answering "cancelling".

        Raises:
            OperationNotFound: no operation has this id.
            NotResearch: it is another kind of operation.
            NotCancellable: it has ended.
            TemporalUnavailable: Temporal does not answer.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in ACTIVITY_STEPS:
            found = await self._resolver.operation(operation_id)
            raise NotResearch(f"{operation_id} is of type {found.operation_type}, not a research.")
        workflow = await self._resolver.workflow(operation_id)
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
        """Cancel an operation of any type; cancelling a step cancels its research.

        Args:
            operation_id: of a research or of any step.
            reason: kept with the cancel in Temporal.
            force: terminate, without letting the workflow clean up or record its end.
            wait_seconds: how long to wait for the work to stop before answering "cancelling".

        Raises:
            OperationNotFound: no operation has this id.
            NotCancellable: it has ended.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self._resolver.operation(operation_id)
        if operation.status not in ACTIVE:
            raise _already_ended(operation_id, operation.status)
        top = await self._resolver.workflow(operation.parent_operation_id or operation_id)
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
    if workflow.ended_as:
        raise _already_ended(workflow.handle.id, workflow.ended_as)
    if force:
        request = workflow.handle.terminate(reason=reason, rpc_timeout=RPC_TIMEOUT)
    else:
        request = workflow.handle.cancel(reason=reason or "", rpc_timeout=RPC_TIMEOUT)
    try:
        await answered(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # It has ended since it was described. A terminate fails then; a cancel fails only if
        # Temporal no longer keeps the workflow.
    end, closed_at = await _end_of(workflow, wait_seconds)
    if end not in (None, OperationStatus.CANCELLED):
        # It ended by itself between the description and the cancel.
        raise _already_ended(workflow.handle.id, end)
    return _Outcome(workflow.running_child, closed_at)


async def _end_of(
    workflow: ResolvedWorkflow, wait_seconds: float
) -> tuple[OperationStatus | None, datetime | None]:
    """Wait for the end of a workflow; return how and when it ended, or None if it still runs.

    The cancel has been accepted by now, so it is no longer an error if Temporal stops answering.
    """
    if wait_seconds:
        with contextlib.suppress(WorkflowFailureError, RPCError, TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await workflow.handle.result(follow_runs=False)
    with contextlib.suppress(RPCError, TemporalUnavailable):
        description = await answered(workflow.handle.describe(rpc_timeout=RPC_TIMEOUT))
        return ended_as(description), description.close_time
    return None, None


def _already_ended(operation_id: str, status: OperationStatus) -> NotCancellable:
    return NotCancellable(f"{operation_id} is already {status}.")
