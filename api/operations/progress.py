"""What a running operation does at the moment, from the pending work in `describe()`.

A step that waits for a worker, one that waits for its next attempt, one that was paused and one
that computes are four different things. Temporal tells them apart.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo
from temporalio.client import WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError

from errors import KtrdrError
from quant.messages.progress import Progress
from workflows.contract import (
    PHASE_STEP,
    Attempt,
    AttemptState,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.failures import describe_failure
from workflows.progress import place_step

_COMPUTING = (
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED,
)

# Not steps. They take a moment, unless the ledger or Temporal is away.
_RECORD = "record_experiment"

# With these the SDK reports an attempt that was interrupted from outside. Nothing went wrong.
_INTERRUPTIONS = ("ActivityPause", "ActivityReset")

# A workflow task takes milliseconds. One that waits longer has no worker.
_LONGEST_TASK = timedelta(seconds=2)

# Before that, the pace of a step says little.
_LEAST_PERCENTAGE = 2.0
_LEAST_TIME = timedelta(seconds=2)


@dataclass(frozen=True)
class Step:
    """What an operation does at the moment.

    Attributes:
        attempt: Whether it computes or waits, and for what.
        text: The same in words. None while it computes.
        progress: How far it is. None if it is not one of the steps of a research.
    """

    attempt: Attempt
    text: str | None
    progress: Progress | None

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at its pace so far."""
        began = self.attempt.since
        # A further attempt may have continued from a checkpoint, at an unknown percentage.
        if self.attempt.state is not AttemptState.RUNNING or self.attempt.number > 1:
            return None
        if began is None or self.progress is None:
            return None
        took, done = datetime.now(UTC) - began, self.progress.percentage
        if took < _LEAST_TIME or done < _LEAST_PERCENTAGE:
            return None
        return round(took.total_seconds() * (100.0 - done) / done, 1)


async def read_step(
    description: WorkflowExecutionDescription, converter: DataConverter
) -> Step | None:
    """Return what a workflow itself awaits. None between two steps."""
    raw = description.raw_description
    activities = sorted(raw.pending_activities, key=lambda each: each.state not in _COMPUTING)
    if activities:
        return await _read_activity(activities[0], converter)
    if raw.HasField("pending_workflow_task") and not raw.pending_children:
        return _read_workflow_task(raw.pending_workflow_task)
    return None


def add_step(operation: OperationInfo, step: Step) -> OperationInfo:
    """Return a running operation with what its present step does."""
    update = {"attempt": step.attempt, "step_seconds_left": step.seconds_left}
    progress = operation.progress
    if step.progress is None:
        # Before its first phase, an operation already says that it waits.
        before = progress.current_step if operation.phase is not Phase.QUEUED else ""
        text = f"{before} {step.text or ''}".strip()
        shown = progress.model_copy(update={"current_step": text})
        return operation.model_copy(update={**update, "progress": shown})
    own = step.progress.model_copy(
        update={
            "percentage": round(step.progress.percentage, 1),
            "current_step": step.text or step.progress.current_step,
        }
    )
    if operation.operation_type is not OperationType.RESEARCH:
        return operation.model_copy(update={**update, "progress": own})
    children = [
        child.model_copy(update={"progress": own})
        if child.status is OperationStatus.RUNNING
        else child
        for child in operation.children
    ]
    placed = place_step(operation.phase or Phase.QUEUED, own)
    return operation.model_copy(update={**update, "progress": placed, "children": children})


def keep_progress(now: OperationInfo, before: OperationInfo) -> OperationInfo:
    """Return the state with the earlier progress of the same phase, if it shows no step now.

    Between two steps of a phase no activity is pending. Without this, progress would go back.
    """
    shows_no_step = (
        now.phase is not None
        and now.phase == before.phase
        and now.progress.current_step == PHASE_STEP[now.phase]
    )
    if not shows_no_step or now.progress.percentage >= before.progress.percentage:
        return now
    return now.model_copy(update={"progress": before.progress})


async def _read_activity(pending: PendingActivityInfo, converter: DataConverter) -> Step:
    error = await _read_error(pending.last_failure, converter)
    attempt = _make_attempt(pending, error)
    progress = await _read_progress(pending, converter)
    if pending.activity_type.name == _RECORD:
        return Step(attempt, _describe(attempt) or "Recording the outcome", None)
    return Step(attempt, _describe(attempt), progress)


def _make_attempt(pending: PendingActivityInfo, error: str | None) -> Attempt:
    now, next_attempt_at = datetime.now(UTC), _read_time(pending.next_attempt_schedule_time)
    if pending.state in _COMPUTING:
        state, since = AttemptState.RUNNING, pending.last_started_time
    elif pending.paused:
        state, since = AttemptState.PAUSED, pending.pause_info.pause_time
    elif next_attempt_at is not None and next_attempt_at > now:
        state, since = AttemptState.RETRYING, pending.last_attempt_complete_time
    else:
        state, since = AttemptState.WAITING, pending.scheduled_time
    return Attempt(
        state=state,
        number=max(1, pending.attempt),
        since=_read_time(since),
        last_error=error,
        next_attempt_at=next_attempt_at if state is AttemptState.RETRYING else None,
    )


def _describe(attempt: Attempt) -> str | None:
    """Say in words what the step waits for. None while it computes."""
    match attempt.state:
        case AttemptState.RUNNING:
            return None
        case AttemptState.PAUSED:
            return "Paused"
        case AttemptState.WAITING:
            return "Waiting for a free worker"
        case AttemptState.RETRYING:
            at = attempt.next_attempt_at
            when = f" at {at:%H:%M:%S} UTC" if at else ""
            why = f": {attempt.last_error}" if attempt.last_error else ""
            return f"Retrying{when}{why}"


def _read_workflow_task(task: PendingWorkflowTaskInfo) -> Step | None:
    """Return that the workflow waits for a worker, if it has waited for too long."""
    since = _read_time(task.original_scheduled_time) or _read_time(task.scheduled_time)
    waiting = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    if not waiting or since is None or datetime.now(UTC) - since < _LONGEST_TASK:
        return None
    attempt = Attempt(state=AttemptState.WAITING, number=max(1, task.attempt), since=since)
    return Step(attempt, "Waiting for a worker", None)


async def _read_progress(pending: PendingActivityInfo, converter: DataConverter) -> Progress:
    """Return the progress of the last heartbeat. A further attempt starts with that of the last."""
    payloads = pending.heartbeat_details.payloads
    if not payloads:
        return Progress(current_step="Starting")
    try:
        [progress] = await converter.decode(payloads[:1], [Progress])
        return Progress.model_validate(progress)
    except (FailureError, KtrdrError, ValidationError):
        return Progress()


async def _read_error(failure: Failure, converter: DataConverter) -> str | None:
    """Return why the last attempt failed. None if it did not."""
    if not failure.ByteSize() or failure.application_failure_info.type in _INTERRUPTIONS:
        return None
    copy = Failure()
    copy.CopyFrom(failure)
    try:
        return describe_failure(await converter.decode_failure(copy))
    except (FailureError, KtrdrError, ValidationError):
        return failure.message or None


def _read_time(moment: Timestamp) -> datetime | None:
    return moment.ToDatetime(UTC) if moment.ByteSize() else None
