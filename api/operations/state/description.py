"""What one workflow is as an operation, by its own answer and by Temporal's description."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from api.memo import read_memo, read_texts
from api.operations.state.ending import read_failure, read_forced_end, read_result
from quant.messages.progress import Ending, Progress
from quant.messages.understood import Understood
from workflows.interface import search_attributes
from workflows.interface.contract import (
    BEGAN,
    GOAL,
    PHASE_START,
    PHASE_STEP,
    PRIORITY,
    RETRY_OF,
    UNDERSTOOD,
    WARNINGS,
    WORKFLOW_NAME,
    Attempt,
    AttemptState,
    ChildOperation,
    OperationInfo,
    OperationMetadata,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.failures import describe_failure
from workflows.interface.ids import SliceId, make_step_id, parse_step_id

TYPE_OF_WORKFLOW = {name: operation_type for operation_type, name in WORKFLOW_NAME.items()}

CLOSED_STATUS = {
    WorkflowExecutionStatus.COMPLETED: OperationStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED: OperationStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: OperationStatus.FAILED,
    WorkflowExecutionStatus.CANCELED: OperationStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: OperationStatus.CANCELLED,
}


def get_closed_status(description: WorkflowExecution) -> OperationStatus | None:
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
    def running_children(self) -> list[str]:
        """The operation ids of the members of a campaign that run, or of the step that runs."""
        if self.operation_type is OperationType.CAMPAIGN:
            pending = self.description.raw_description.pending_children
            return [child.workflow_id for child in pending]
        return [self.running_child] if self.running_child else []

    @property
    def running_child(self) -> str | None:
        """The operation id of the step that runs now. None if no step runs."""
        raw = self.description.raw_description
        for child in raw.pending_children:
            return child.workflow_id
        if self.operation_type is OperationType.RESEARCH:
            for activity in raw.pending_activities:
                if SliceId.parse(activity.activity_id):
                    return make_step_id(self.description.id, OperationType.DESIGN)
                step_id = f"{self.description.id}.{activity.activity_id}"
                # The record of a research is an activity, too, but no step.
                if parse_step_id(step_id):
                    return step_id
        # Between two activities of a search only the workflow knows.
        known = self.answer.running_child if self.answer else None
        return known.operation_id if known else None


async def describe_operation(workflow: ResolvedWorkflow) -> OperationInfo:
    """Return the operation. Temporal's description decides its status, the answer gives the rest.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    known = await describe_execution(workflow.description)
    info = workflow.answer or known
    update: dict[str, Any] = {
        "status": known.status,
        "created_at": known.created_at,
        "completed_at": known.completed_at,
        "duration_seconds": known.duration_seconds,
        "attempt": known.attempt,
        "cancel_requested": known.cancel_requested,
        "forced": known.forced,
        "priority": info.priority or known.priority,
        "goal": info.goal or known.goal,
    }
    if workflow.closed_status is None:
        return info.model_copy(update=update | _find_running_step(workflow, info))
    if workflow.closed_status is not OperationStatus.COMPLETED:
        update |= await _read_end(workflow)
    else:
        # A training and a backtest have no phase that would say so.
        done = info.progress.current_step or known.progress.current_step
        update["progress"] = info.progress.model_copy(update={"current_step": done})
        if workflow.answer is None:
            update["result_summary"] = await read_result(workflow.handle)
    update["children"] = [
        # A terminated research cannot update the status of its running step.
        child.model_copy(update={"status": workflow.closed_status})
        if child.status is OperationStatus.RUNNING
        else child
        for child in info.children
    ]
    return info.model_copy(update=update)


async def describe_execution(execution: WorkflowExecution) -> OperationInfo:
    """Return what Temporal itself knows of an operation, in a list or in a description."""
    attributes = execution.typed_search_attributes
    phase = search_attributes.read_phase(attributes)
    operation_type = TYPE_OF_WORKFLOW.get(execution.workflow_type, OperationType.RESEARCH)
    is_research = operation_type is OperationType.RESEARCH
    status = CLOSED_STATUS.get(execution.status) if execution.status else None
    queued = phase is Phase.QUEUED or (is_research and phase is None)
    if status is None:
        status = OperationStatus.PENDING if queued else OperationStatus.RUNNING
    progress = Progress(
        percentage=PHASE_START[phase] if phase else 0.0,
        current_step=PHASE_STEP[phase] if phase else "",
    )
    if status is OperationStatus.COMPLETED:
        progress = Progress(percentage=100.0, current_step=PHASE_STEP[Phase.DONE])
    ending = await read_memo(execution, Ending.memo_key, Ending)
    # The start of the first run, if it has continued as new.
    first = await read_memo(execution, BEGAN, datetime)
    began = first if first is not None and first.tzinfo else execution.start_time
    ended = execution.close_time
    waits = Attempt(state=AttemptState.WAITING, since=began)
    return OperationInfo(
        operation_id=execution.id,
        parent_operation_id=execution.parent_id
        or attributes.get(search_attributes.PARENT_OPERATION_ID),
        operation_type=operation_type,
        status=status,
        phase=(phase or Phase.QUEUED) if is_research else None,
        created_at=began,
        completed_at=ended,
        duration_seconds=measure_duration(began, ended),
        progress=ending.progress if ending else progress,
        attempt=waits if status is OperationStatus.PENDING else None,
        metadata=OperationMetadata(
            symbol=attributes.get(search_attributes.SYMBOL),
            symbols=list(attributes.get(search_attributes.SYMBOLS) or ()),
            parameters={"phase": phase} if phase and is_research else {},
        ),
        cancel_requested=isinstance(execution, WorkflowExecutionDescription)
        and execution.raw_description.workflow_extended_info.cancel_requested,
        cancellation_reason=ending and ending.cancellation_reason,
        forced=execution.status is WorkflowExecutionStatus.TERMINATED,
        owner=attributes.get(search_attributes.OWNER),
        # Only a description has the priority of Temporal.
        priority=await read_memo(execution, PRIORITY, int)
        or execution.raw_info.priority.priority_key
        or None,
        goal=await read_memo(execution, GOAL, str),
        retry_of=await read_memo(execution, RETRY_OF, str),
        understood=await read_memo(execution, UNDERSTOOD, Understood),
        warnings=await read_texts(execution, WARNINGS),
    )


async def _read_end(workflow: ResolvedWorkflow) -> dict[str, Any]:
    """Return how a workflow ended that has no result."""
    if workflow.description.status is WorkflowExecutionStatus.TERMINATED:
        return (await read_forced_end(workflow.handle)).update
    if workflow.answer is not None or workflow.closed_status is OperationStatus.CANCELLED:
        return {}
    error = await read_failure(workflow.handle)
    return {"error_message": describe_failure(error) if error else None}


def _find_running_step(workflow: ResolvedWorkflow, info: OperationInfo) -> dict[str, Any]:
    """Return the step that runs, by Temporal's description, if no worker has named it."""
    child = workflow.running_child
    step = parse_step_id(child) if child else None
    if workflow.answer is not None or child is None or step is None:
        return {}
    running = ChildOperation(
        operation_id=child, operation_type=step[1], status=OperationStatus.RUNNING
    )
    return {"children": [*info.children, running]}


def describe_activity_step(research: OperationInfo, child: ChildOperation) -> OperationInfo:
    """Return an activity of a research as an operation, without its result."""
    running = child.status is OperationStatus.RUNNING
    failed = child.status is OperationStatus.FAILED
    completed = child.status is OperationStatus.COMPLETED
    cancelled = child.status is OperationStatus.CANCELLED
    began = child.started_at or research.created_at
    ended = None if running else child.completed_at or research.completed_at
    return research.model_copy(
        update={
            "operation_id": child.operation_id,
            "parent_operation_id": research.operation_id,
            "operation_type": child.operation_type,
            "status": child.status,
            "phase": None,
            "phases": [],
            "created_at": began,
            "started_at": child.started_at,
            "completed_at": ended,
            "duration_seconds": measure_duration(began, ended),
            "progress": child.progress or Progress(percentage=100.0 if completed else 0.0),
            "attempt": research.attempt if running else None,
            "step_seconds_left": research.step_seconds_left if running else None,
            "cancellation_reason": research.cancellation_reason if cancelled else None,
            "result_summary": None,
            "error_message": (child.error_message or research.error_message) if failed else None,
            "errors": [],
            "children": [],
        }
    )


def measure_duration(began: datetime, ended: datetime | None) -> float:
    """Return the seconds from the beginning to the end, or until now."""
    return round(((ended or datetime.now(UTC)) - began).total_seconds(), 1)
