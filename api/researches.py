"""Starting a research and cancelling exactly one."""

import asyncio
import contextlib
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from api.resolver import RPC_TIMEOUT, ResolvedWorkflow, Resolver, answered, ended_as
from api.schemas import CancelAccepted
from errors import NotCancellable, NotResearch
from workflows import search_attributes
from workflows.contract import WORKFLOW_NAME, OperationStatus, OperationType, Phase
from workflows.ids import make_operation_id, parse_step_id
from workflows.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE


class Researches:
    """The doors to researches."""

    def __init__(self, client: Client, resolver: Resolver) -> None:
        self._client = client
        self._resolver = resolver

    async def start(self, request: ResearchRequest) -> str:
        """Start a research and return its operation id.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        operation_id = make_operation_id(OperationType.RESEARCH, datetime.now(UTC))
        await answered(
            self._client.start_workflow(
                WORKFLOW_NAME[OperationType.RESEARCH],
                request,
                id=operation_id,
                task_queue=RESEARCH_QUEUE,
                priority=Priority(priority_key=request.priority),
                static_summary=request.headline,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(
                            search_attributes.OPERATION_TYPE, OperationType.RESEARCH
                        ),
                        SearchAttributePair(search_attributes.RESEARCH_PHASE, Phase.QUEUED),
                        SearchAttributePair(search_attributes.SYMBOL, request.symbol),
                        SearchAttributePair(search_attributes.OWNER, request.owner),
                    ]
                ),
                rpc_timeout=RPC_TIMEOUT,
            )
        )
        return operation_id

    async def cancel(self, operation_id: str, *, wait_seconds: float) -> CancelAccepted:
        """Cancel a research: checks existence, then type, then state.

        Args:
            operation_id: of the research.
            wait_seconds: how long to wait for the work to stop, so that "cancelled" can be said.

        Raises:
            OperationNotFound: nothing has this id.
            NotResearch: it is another kind of operation.
            NotCancellable: it has ended.
            TemporalUnavailable: Temporal does not answer; the cancel was not accepted.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in (OperationType.DESIGN, OperationType.ASSESSMENT):
            found = await self._resolver.operation(operation_id)
            raise NotResearch(f"{operation_id} is a {found.operation_type}, not a research.")
        workflow = await self._resolver.workflow(operation_id)
        if workflow.operation_type is not OperationType.RESEARCH:
            kind = (
                workflow.operation_type or f"workflow of type {workflow.description.workflow_type}"
            )
            raise NotResearch(f"{operation_id} is a {kind}, not a research.")
        if workflow.ended_as:
            raise _already_ended(operation_id, workflow.ended_as)
        await answered(workflow.handle.cancel(rpc_timeout=RPC_TIMEOUT))
        end = await _end_of(workflow, wait_seconds)
        if end not in (None, OperationStatus.CANCELLED):
            # It ended by itself between the look and the cancel.
            raise _already_ended(operation_id, end)
        stopped = end is OperationStatus.CANCELLED
        return CancelAccepted(
            operation_id=operation_id,
            child_cancelled=workflow.running_child,
            status="cancelled" if stopped else "cancelling",
            message="Research cancelled" if stopped else "The cancel is accepted; work is stopping",
        )


async def _end_of(workflow: ResolvedWorkflow, wait_seconds: float) -> OperationStatus | None:
    """Wait for the end of a workflow; None if it still runs, or Temporal cannot say."""
    with contextlib.suppress(WorkflowFailureError, RPCError, TimeoutError):
        async with asyncio.timeout(wait_seconds):
            await workflow.handle.result(follow_runs=False)
    with contextlib.suppress(RPCError):
        return ended_as(await workflow.handle.describe(rpc_timeout=RPC_TIMEOUT))
    return None


def _already_ended(operation_id: str, status: OperationStatus) -> NotCancellable:
    return NotCancellable(f"{operation_id} is already {status}.")
