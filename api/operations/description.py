"""What one workflow is as an operation, by its own answer and by Temporal's description."""

from dataclasses import dataclass
from typing import Any

from temporalio.client import (
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)

from api.temporal_calls import RPC_TIMEOUT, call_temporal
from quant.messages.progress import Progress
from workflows import search_attributes
from workflows.contract import (
    ACTIVE,
    RETRY_OF,
    WARNINGS,
    WORKFLOW_NAME,
    ChildOperation,
    OperationInfo,
    OperationMetadata,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.failures import describe_failure
from workflows.ids import parse_step_id

TYPE_OF_WORKFLOW = {name: operation_type for operation_type, name in WORKFLOW_NAME.items()}

CLOSED_STATUS = {
    WorkflowExecutionStatus.COMPLETED: OperationStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED: OperationStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: OperationStatus.FAILED,
    WorkflowExecutionStatus.CANCELED: OperationStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: OperationStatus.CANCELLED,
}

# The start and the first scheduled workflow task. A cancel request adds one.
_EVENTS_OF_NEW_WORKFLOW = 2


def get_closed_status(description: WorkflowExecutionDescription) -> OperationStatus | None:
    """Return the status of a closed workflow, or None while it runs."""
    return CLOSED_STATUS.get(description.status) if description.status else None


@dataclass(frozen=True)
class ResolvedWorkflow:
    """The workflow execution behind an operation id.

    Attributes:
        handle: Pinned to the run that was described.
        description: Temporal's description of the run.
        answer: The workflow's own answer to the query `operation`. None if no worker answered.
    """

    handle: WorkflowHandle[Any, Any]
    description: WorkflowExecutionDescription
    answer: OperationInfo | None

    @property
    def operation_type(self) -> OperationType | None:
        """Its type as an operation. None for a workflow that is not one of ours."""
        return TYPE_OF_WORKFLOW.get(self.description.workflow_type)

    @property
    def closed_status(self) -> OperationStatus | None:
        """Its status by Temporal if it is closed, or None while it runs."""
        return get_closed_status(self.description)

    @property
    def running_child(self) -> str | None:
        """The operation id of the step that runs now. None if no step runs."""
        raw = self.description.raw_description
        for child in raw.pending_children:
            return child.workflow_id
        for activity in raw.pending_activities:
            if self.operation_type is OperationType.RESEARCH:
                return f"{self.description.id}.{activity.activity_id}"
        return None


async def describe_operation(workflow: ResolvedWorkflow) -> OperationInfo:
    """Return the operation. Temporal's description decides its status, the answer gives the rest.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    description = workflow.description
    info = workflow.answer or await _describe_without_answer(workflow)
    requested = description.raw_description.workflow_extended_info.cancel_requested
    status = workflow.closed_status
    if status is None:
        # While a workflow records its end, it answers that it has ended.
        current = info.status if info.status in ACTIVE else OperationStatus.RUNNING
        return info.model_copy(
            update={"status": current, "completed_at": None, "cancel_requested": requested}
        )
    children = [
        # A terminated research cannot update the status of its running step.
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


def describe_activity_step(research: OperationInfo, child: ChildOperation) -> OperationInfo:
    """Return an activity of a research as an operation, without its result."""
    running = child.status is OperationStatus.RUNNING
    failed = child.status is OperationStatus.FAILED
    completed = child.status is OperationStatus.COMPLETED
    return research.model_copy(
        update={
            "operation_id": child.operation_id,
            "parent_operation_id": research.operation_id,
            "operation_type": child.operation_type,
            "status": child.status,
            "phase": None,
            "phases": [],
            "created_at": child.started_at or research.created_at,
            "started_at": child.started_at,
            "completed_at": None if running else child.completed_at or research.completed_at,
            "progress": child.progress or Progress(percentage=100.0 if completed else 0.0),
            "result_summary": None,
            "error_message": research.error_message if failed else None,
            "children": [],
        }
    )


async def _describe_without_answer(workflow: ResolvedWorkflow) -> OperationInfo:
    """Return what Temporal knows without a worker."""
    description = workflow.description
    attributes = description.typed_search_attributes
    phase = attributes.get(search_attributes.RESEARCH_PHASE)
    requested = description.raw_description.workflow_extended_info.cancel_requested
    started = description.history_length > _EVENTS_OF_NEW_WORKFLOW + int(requested)
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
        priority=description.raw_description.workflow_execution_info.priority.priority_key or None,
        retry_of=await description.memo_value(RETRY_OF, default=None),
        warnings=await description.memo_value(WARNINGS, default=[]),
    )
    if workflow.closed_status:
        try:
            result = await call_temporal(workflow.handle.result(rpc_timeout=RPC_TIMEOUT))
            return info.model_copy(update={"result_summary": result})
        except WorkflowFailureError as error:
            return info.model_copy(update={"error_message": describe_failure(error.cause)})
    child = workflow.running_child
    step = parse_step_id(child) if child else None
    if child and step:
        running = ChildOperation(
            operation_id=child, operation_type=step[1], status=OperationStatus.RUNNING
        )
        return info.model_copy(update={"children": [running]})
    return info
