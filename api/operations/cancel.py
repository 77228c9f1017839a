"""Cancels exactly one operation.

To cancel a step is to cancel its research. So the request to Temporal names the top-level workflow,
which passes the cancel on to its running step. The request is pinned to the run that was described.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import (
    WorkflowContinuedAsNewError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.service import RPCError, RPCStatusCode

from api.memo import read_memo
from api.operations.resolver import Resolver
from api.operations.schemas import CancelAccepted, OperationCancelled, OperationCancelResponse
from api.operations.state.description import ResolvedWorkflow, get_closed_status
from api.operations.state.ending import ForcedEnd
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import NotCancellable, NotResearch, TemporalUnavailable
from quant.messages.progress import Ending
from workflows.interface.contract import ACTIVE, ACTIVITY_STEPS, OperationStatus, OperationType
from workflows.interface.ids import parse_step_id


@dataclass(frozen=True)
class _Outcome:
    """A cancel that was accepted.

    Attributes:
        children: The step that was running, or the members of a campaign.
        stopped_at: When the work stopped. None while it is stopping.
        reason: The reason that Temporal has recorded. An earlier cancel may have given another.
    """

    children: list[str]
    stopped_at: datetime | None
    reason: str | None

    @property
    def child(self) -> str | None:
        """The step that was running."""
        return self.children[0] if self.children else None


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
        workflow = await self._find_workflow(operation_id)
        if workflow.operation_type is not OperationType.RESEARCH:
            kind = workflow.operation_type or workflow.description.workflow_type
            raise NotResearch(f"{operation_id} is of type {kind}, not a research.")
        outcome = await _cancel(workflow, wait_seconds, reason=reason)
        assert outcome is not None  # noqa: S101 - only a campaign continues as new
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

        A member of a campaign is a research of its own. The other members are not touched.

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
        top = await self._find_top(operation_id)
        forced = await self._make_forced_end(top.handle.id, reason) if force else None
        outcome = await _cancel(top, wait_seconds, reason=reason, forced=forced)
        while outcome is None:
            top = await self._find_workflow(top.handle.id)
            outcome = await _cancel(top, wait_seconds, reason=reason, forced=forced)
        return OperationCancelResponse(
            data=OperationCancelled(
                operation_id=operation_id,
                status="cancelled" if outcome.stopped_at else "cancelling",
                cancelled_at=outcome.stopped_at,
                cancellation_reason=outcome.reason,
                forced=force,
                children_cancelled=outcome.children,
                task_cancelled=outcome.stopped_at is not None,
                remote_cancelled=outcome.stopped_at is not None and bool(outcome.children),
            )
        )

    async def _find_top(self, operation_id: str) -> ResolvedWorkflow:
        """Return the workflow to cancel: that of the operation, or of the research of a step.

        Raises:
            OperationNotFound: No operation has this id.
            NotCancellable: It is a step, and has ended.
            TemporalUnavailable: Temporal does not answer.
        """
        if parse_step_id(operation_id) is None:
            workflow = await self._find_workflow(operation_id)
            if workflow.operation_type is OperationType.RESEARCH:
                return workflow
        operation = await self._resolver.find_operation(operation_id)
        if operation.status not in ACTIVE:
            raise _make_already_ended(operation_id, operation.status)
        is_step = operation.operation_type is not OperationType.RESEARCH
        parent = operation.parent_operation_id if is_step else None
        return await self._find_workflow(parent or operation_id)

    async def _make_forced_end(self, workflow_id: str, reason: str | None) -> ForcedEnd:
        """Return what goes with the request to terminate: nobody can say it afterwards."""
        workflow = await self._resolver.find_workflow(workflow_id)
        shown = await self._resolver.show(workflow)
        return ForcedEnd(reason, shown.progress, workflow.answer)

    async def _find_workflow(self, workflow_id: str) -> ResolvedWorkflow:
        """Return a workflow as far as a cancel has to know it.

        Its own answer is as late as a busy worker, so a cancel waits for it only if nobody else
        knows which step runs, or why an earlier cancel was requested.
        """
        workflow = await self._resolver.find_run(workflow_id)
        info = workflow.description.raw_description.workflow_extended_info
        if workflow.closed_status or (workflow.running_children and not info.cancel_requested):
            return workflow
        return await self._resolver.find_workflow(workflow_id)


async def _cancel(
    workflow: ResolvedWorkflow,
    wait_seconds: float,
    *,
    reason: str | None = None,
    forced: ForcedEnd | None = None,
) -> _Outcome | None:
    """Cancel a workflow, or terminate it if it is known what it leaves.

    Returns:
        The outcome; None if the run has continued as new meanwhile, and is no longer the last.
    """
    if workflow.closed_status:
        raise _make_already_ended(workflow.handle.id, workflow.closed_status)
    if forced is not None:
        # A terminated workflow can record nothing. What the API knows goes with the request.
        request = workflow.handle.terminate(
            *forced.details, reason=forced.reason, rpc_timeout=RPC_TIMEOUT
        )
    else:
        request = workflow.handle.cancel(reason=reason or "", rpc_timeout=RPC_TIMEOUT)
    try:
        await call_temporal(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # It has ended since it was described. A terminate then fails. A cancel fails only if
        # Temporal no longer keeps the workflow.
    described = await _wait_for_end(workflow, wait_seconds)
    if described and described.status is WorkflowExecutionStatus.CONTINUED_AS_NEW:
        return None
    end = get_closed_status(described) if described else None
    if end is not None and end is not OperationStatus.CANCELLED:
        # It ended by itself between the description and the cancel.
        raise _make_already_ended(workflow.handle.id, end)
    if forced is None:
        reason = await _read_recorded_reason(workflow, described, reason)
    stopped_at = described.close_time if described else None
    return _Outcome(workflow.running_children, stopped_at, reason)


async def _read_recorded_reason(
    workflow: ResolvedWorkflow, described: WorkflowExecutionDescription | None, reason: str | None
) -> str | None:
    """Return the reason of the first cancel, which is the one that Temporal has recorded."""
    ending = await read_memo(described, Ending.memo_key, Ending) if described else None
    if ending is not None:
        return ending.cancellation_reason
    if workflow.description.raw_description.workflow_extended_info.cancel_requested:
        return workflow.answer.cancellation_reason if workflow.answer else None
    return reason


async def _wait_for_end(
    workflow: ResolvedWorkflow, wait_seconds: float
) -> WorkflowExecutionDescription | None:
    """Wait for the end of a workflow, and return its description; None if Temporal is silent.

    Temporal has accepted the cancel. So a failure to answer is no longer an error.
    """
    if wait_seconds:
        ends = (WorkflowFailureError, WorkflowContinuedAsNewError, RPCError, TimeoutError)
        with contextlib.suppress(*ends):
            async with asyncio.timeout(wait_seconds):
                await workflow.handle.result(follow_runs=False)
    with contextlib.suppress(RPCError, TemporalUnavailable):
        return await call_temporal(workflow.handle.describe(rpc_timeout=RPC_TIMEOUT))
    return None


def _make_already_ended(operation_id: str, status: OperationStatus) -> NotCancellable:
    return NotCancellable(f"{operation_id} is already {status}.")
