"""From an operation id to what is known about it.

The `operation` query and `describe()` are asked at the same time. The query knows type, phase and
children; `describe()` is the authority for the status and needs no worker, so an operation can be
shown and cancelled when none is running.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from api.calls import RPC_TIMEOUT, answered
from api.progress import activity_progress, research_progress
from errors import OperationNotFound, TemporalUnavailable
from quant.models import Progress
from workflows import search_attributes
from workflows.contract import (
    ACTIVE,
    FINISHED_QUERY,
    OPERATION_QUERY,
    WORKFLOW_NAME,
    ChildOperation,
    OperationInfo,
    OperationMetadata,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.failures import message_of
from workflows.ids import parse_step_id
from workflows.messages import FinishedSteps

_log = logging.getLogger(__name__)

TYPE_OF_WORKFLOW = {name: operation_type for operation_type, name in WORKFLOW_NAME.items()}

CLOSED_STATUS = {
    WorkflowExecutionStatus.COMPLETED: OperationStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED: OperationStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: OperationStatus.FAILED,
    WorkflowExecutionStatus.CANCELED: OperationStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: OperationStatus.CANCELLED,
}

# Without a worker a query waits for one; nobody should wait for that.
QUERY_TIMEOUT = timedelta(seconds=1)

# Started, and its first workflow task scheduled; a cancel adds its request.
_HISTORY_OF_A_NEW_WORKFLOW = 2

_ID_SHOWN = 100

_NOT_FOUND = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


def ended_as(description: WorkflowExecutionDescription) -> OperationStatus | None:
    """Return the status of a closed workflow, or None while it runs."""
    return CLOSED_STATUS.get(description.status) if description.status else None


@dataclass(frozen=True)
class ResolvedWorkflow:
    """A workflow execution behind an operation id, whatever its type."""

    handle: WorkflowHandle[Any, Any]
    description: WorkflowExecutionDescription
    answer: OperationInfo | None

    @property
    def operation_type(self) -> OperationType | None:
        """None for a workflow that is not one of ours."""
        return TYPE_OF_WORKFLOW.get(self.description.workflow_type)

    @property
    def ended_as(self) -> OperationStatus | None:
        """How it ended by Temporal's word, or None while it runs."""
        return ended_as(self.description)

    @property
    def running_child(self) -> str | None:
        """Operation id of the step that runs now."""
        raw = self.description.raw_description
        for child in raw.pending_children:
            return child.workflow_id
        for activity in raw.pending_activities:
            if self.operation_type is OperationType.RESEARCH:
                return f"{self.description.id}.{activity.activity_id}"
        return None


class Resolver:
    """Looks operations up in Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def operation(self, operation_id: str) -> OperationInfo:
        """Return everything about one operation.

        Raises:
            OperationNotFound: no operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in (OperationType.DESIGN, OperationType.ASSESSMENT):
            return await self._activity_step(operation_id, *step)
        workflow = await self.workflow(operation_id)
        if workflow.operation_type is None:
            raise OperationNotFound(f"There is no operation {_shown(operation_id)}.")
        info = await _described(workflow)
        return info if workflow.ended_as else await self._with_progress(info, workflow)

    async def workflow(self, workflow_id: str) -> ResolvedWorkflow:
        """Return the execution with this workflow id, pinned to its current run.

        Raises:
            OperationNotFound: Temporal knows no such workflow.
            TemporalUnavailable: Temporal does not answer.
        """
        handle = self._handle(workflow_id)
        query = asyncio.create_task(self._query(handle))
        try:
            description = await self._describe(handle)
            pinned = self._client.get_workflow_handle(workflow_id, run_id=description.run_id)
            return ResolvedWorkflow(pinned, description, await query)
        finally:
            query.cancel()

    async def finished(self, workflow: ResolvedWorkflow) -> FinishedSteps:
        """Return the results of the steps that a research has finished, whatever became of it.

        Raises:
            TemporalUnavailable: no worker answers.
        """
        query = workflow.handle.query(
            FINISHED_QUERY, result_type=FinishedSteps, rpc_timeout=RPC_TIMEOUT
        )
        try:
            return await answered(query)
        except (RPCError, WorkflowQueryFailedError) as error:
            raise TemporalUnavailable(
                f"No worker can say what {workflow.handle.id} has finished; is one running?"
            ) from error

    async def _with_progress(
        self, info: OperationInfo, workflow: ResolvedWorkflow
    ) -> OperationInfo:
        description = workflow.description
        for child in description.raw_description.pending_children:
            description = await self._describe(self._handle(child.workflow_id))
        step = await activity_progress(description, self._client.data_converter)
        if step is None:
            return info
        if info.operation_type is not OperationType.RESEARCH:
            return info.model_copy(update={"progress": step})
        children = [
            child.model_copy(update={"progress": step})
            if child.status is OperationStatus.RUNNING
            else child
            for child in info.children
        ]
        return research_progress(info.model_copy(update={"children": children}), step)

    async def _activity_step(
        self, operation_id: str, research_id: str, step: OperationType
    ) -> OperationInfo:
        workflow = await self.workflow(research_id)
        research = await _described(workflow)
        child = next((c for c in research.children if c.operation_id == operation_id), None)
        if workflow.operation_type is not OperationType.RESEARCH or child is None:
            raise OperationNotFound(f"There is no operation {_shown(operation_id)}.")
        running = child.status is OperationStatus.RUNNING
        result = None
        if child.status is OperationStatus.COMPLETED:
            finished = await self.finished(workflow)
            result = finished.design if step is OperationType.DESIGN else finished.assessment
        progress = await activity_progress(workflow.description, self._client.data_converter)
        return research.model_copy(
            update={
                "operation_id": operation_id,
                "parent_operation_id": research_id,
                "operation_type": step,
                "status": child.status,
                "phase": None,
                "phases": [],
                "created_at": child.started_at or research.created_at,
                "started_at": child.started_at,
                "completed_at": None if running else child.completed_at or research.completed_at,
                "progress": progress if running and progress else Progress(percentage=100.0),
                "result_summary": result and result.model_dump(mode="json"),
                "error_message": research.error_message
                if child.status is OperationStatus.FAILED
                else None,
                "children": [],
            }
        )

    def _handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        if not workflow_id:
            raise OperationNotFound("An operation id is not empty.")
        return self._client.get_workflow_handle(workflow_id)

    async def _describe(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
        try:
            return await answered(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status in _NOT_FOUND:
                raise OperationNotFound(f"There is no operation {_shown(handle.id)}.") from None
            raise

    async def _query(self, handle: WorkflowHandle[Any, Any]) -> OperationInfo | None:
        """Ask the workflow itself; None if no worker can answer in time."""
        try:
            async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
                info: OperationInfo = await handle.query(
                    OPERATION_QUERY, result_type=OperationInfo, rpc_timeout=QUERY_TIMEOUT
                )
                return info
        except (RPCError, WorkflowQueryFailedError, FailureError, TimeoutError) as error:
            _log.debug("%s does not answer the query: %s", handle.id, error)
            return None


async def _described(workflow: ResolvedWorkflow) -> OperationInfo:
    """Join what the workflow answered with what Temporal says."""
    description = workflow.description
    info = workflow.answer or await _without_worker(workflow)
    requested = description.raw_description.workflow_extended_info.cancel_requested
    status = workflow.ended_as
    if status is None:
        # It may have come to its end in its own eyes, and be about to record it.
        shown = info.status if info.status in ACTIVE else OperationStatus.RUNNING
        return info.model_copy(
            update={"status": shown, "completed_at": None, "cancel_requested": requested}
        )
    children = [
        # A step that ran when its research was terminated has ended with it.
        child.model_copy(update={"status": status})
        if child.status is OperationStatus.RUNNING
        else child
        for child in info.children
    ]
    return info.model_copy(
        update={
            "status": status,
            "completed_at": description.close_time,
            "cancel_requested": requested,
            "forced": description.status is WorkflowExecutionStatus.TERMINATED,
            "children": children,
        }
    )


async def _without_worker(workflow: ResolvedWorkflow) -> OperationInfo:
    """What Temporal alone can say."""
    description = workflow.description
    attributes = description.typed_search_attributes
    phase = attributes.get(search_attributes.RESEARCH_PHASE)
    requested = description.raw_description.workflow_extended_info.cancel_requested
    started = description.history_length > _HISTORY_OF_A_NEW_WORKFLOW + int(requested)
    info = OperationInfo(
        operation_id=description.id,
        parent_operation_id=description.parent_id,
        operation_type=workflow.operation_type or OperationType.RESEARCH,
        status=OperationStatus.RUNNING if started else OperationStatus.PENDING,
        phase=Phase(phase) if phase else None,
        created_at=description.start_time,
        metadata=OperationMetadata(
            symbol=attributes.get(search_attributes.SYMBOL),
            parameters={"phase": phase} if phase else {},
        ),
        owner=attributes.get(search_attributes.OWNER),
    )
    if workflow.ended_as:
        try:
            result = await answered(workflow.handle.result(rpc_timeout=RPC_TIMEOUT))
            return info.model_copy(update={"result_summary": result})
        except WorkflowFailureError as error:
            return info.model_copy(update={"error_message": message_of(error.cause)})
    child = workflow.running_child
    step = parse_step_id(child) if child else None
    if child and step:
        running = ChildOperation(
            operation_id=child, operation_type=step[1], status=OperationStatus.RUNNING
        )
        return info.model_copy(update={"children": [running]})
    return info


def _shown(operation_id: str) -> str:
    """An id for a message: it came from outside and may be anything."""
    return repr(operation_id if len(operation_id) <= _ID_SHOWN else operation_id[:_ID_SHOWN] + "…")
