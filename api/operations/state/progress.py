"""What a running operation does at the moment, from the pending work in `describe()`.

A step that waits for a worker, one that waits for its next attempt, one that was paused and one
that computes are four different things. Temporal tells them apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from temporalio.api.enums.v1 import PendingWorkflowTaskState
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo
from temporalio.client import WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError

from api.operations.state.attempts import (
    COMPUTING,
    describe_attempt,
    make_attempt,
    read_error,
    read_time,
)
from errors import KtrdrError
from quant.messages.progress import WAITS_FOR, Progress
from quant.search.progress import Scale
from workflows.interface.contract import (
    PHASE_STEP,
    Attempt,
    AttemptState,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.ids import SliceId
from workflows.interface.progress import (
    SCORED_BEFORE,
    choose_best,
    describe_sliced_search,
    place_step,
    read_best,
)

# Not steps. They take a moment, unless the ledger or Temporal is away.
_RECORD = "record_experiment"

# What a search in slices is said to do: what the most active of its slices does.
_ORDER = (
    AttemptState.RUNNING,
    AttemptState.RETRYING,
    AttemptState.WAITING,
    AttemptState.PAUSED,
)

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
        slices: How many slices of a search there are in each state, if any.
    """

    attempt: Attempt
    text: str | None
    progress: Progress | None
    slices: Mapping[AttemptState, int] | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at its pace so far."""
        began = self.attempt.since
        # A further attempt may have continued from a checkpoint, at an unknown percentage.
        if self.attempt.state is not AttemptState.RUNNING or self.attempt.number > 1:
            return None
        if began is None or self.progress is None:
            return None
        return _estimate(began, self.progress.percentage, 100.0 - self.progress.percentage)


async def read_step(
    description: WorkflowExecutionDescription, converter: DataConverter
) -> Step | None:
    """Return what a workflow itself awaits. None between two steps."""
    raw = description.raw_description
    slices = [
        (parsed, each)
        for each in raw.pending_activities
        if (parsed := SliceId.parse(each.activity_id))
    ]
    if slices:
        return await _read_slices(slices, converter)
    activities = sorted(raw.pending_activities, key=lambda each: each.state not in COMPUTING)
    if activities:
        return await _read_activity(activities[0], converter)
    if raw.HasField("pending_workflow_task") and not raw.pending_children:
        return _read_workflow_task(raw.pending_workflow_task)
    return None


def add_step(operation: OperationInfo, step: Step) -> OperationInfo:
    """Return a running operation with what its present step does."""
    left = step.seconds_left if step.slices is None else _estimate_search(step, operation)
    update = {"attempt": step.attempt, "step_seconds_left": left}
    progress = operation.progress
    if step.progress is None:
        # Before its first phase, an operation already says that it waits.
        before = progress.current_step if operation.phase is not Phase.QUEUED else ""
        text = f"{before} {step.text or ''}".strip()
        shown = progress.model_copy(update={"current_step": text})
        return operation.model_copy(update={**update, "progress": shown})
    progress = _join_best(step.progress, operation) if step.slices is not None else step.progress
    progress = progress.model_copy(update={"current_step": step.text or progress.current_step})
    own = progress.model_copy(update={"percentage": round(progress.percentage, 1)})
    if operation.operation_type is not OperationType.RESEARCH:
        return operation.model_copy(update={**update, "progress": own})
    children = [
        child.model_copy(update={"progress": own})
        if child.status is OperationStatus.RUNNING
        else child
        for child in operation.children
    ]
    # Of what is not rounded, as the workflow does at the end: rounding twice would move it back.
    placed = place_step(operation.phase or Phase.QUEUED, progress)
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


async def _read_slices(
    slices: Sequence[tuple[SliceId, PendingActivityInfo]], converter: DataConverter
) -> Step:
    """Return what a search does of which these slices have not finished yet."""
    attempts: list[Attempt] = []
    left, best = 0, None
    scale: Scale | None = None
    for each, pending in slices:
        progress = await _read_progress(pending, converter)
        error = await read_error(pending.last_failure, converter)
        attempts.append(make_attempt(pending, error, progress))
        left += max(0, each.size - progress.items_processed)
        best = choose_best(best, read_best(progress))
        scale = scale or Scale.read(progress)
    states = Counter(
        attempt.state for attempt, (each, _) in zip(attempts, slices, strict=True) if each.size
    )
    attempt = min(attempts, key=lambda each: (_ORDER.index(each.state), each.number))
    found, trials = slices[0][0].round_last - left, slices[0][0].trials
    text = describe_attempt(attempt)
    text = text and f"Trial {found} of {trials} · {text}"
    return Step(attempt, text, describe_sliced_search(found, trials, best, scale, states), states)


def _estimate_search(step: Step, operation: OperationInfo) -> float | None:
    """Return how long a search in slices still takes at its pace so far, in this run."""
    child = operation.running_child
    if step.attempt.state is not AttemptState.RUNNING or step.progress is None or child is None:
        return None
    if child.started_at is None or not step.progress.items_total:
        return None
    before = child.progress.context.get(SCORED_BEFORE, 0) if child.progress else 0
    own = step.progress.items_processed - int(before)
    share = 100.0 / step.progress.items_total
    left = step.progress.items_total - step.progress.items_processed
    return _estimate(child.started_at, share * own, share * left)


def _estimate(began: datetime, done: float, left: float) -> float | None:
    """Return the seconds for what is left, in per cent; None if too little is done."""
    took = datetime.now(UTC) - began
    if took < _LEAST_TIME or done < _LEAST_PERCENTAGE:
        return None
    return round(took.total_seconds() * left / done, 1)


def _join_best(progress: Progress, operation: OperationInfo) -> Progress:
    """Return the progress of a search with the best that its finished slices have found."""
    child, best = operation.running_child, read_best(progress)
    finished = read_best(child.progress) if child and child.progress else None
    if finished is None or progress.items_total is None:
        return progress
    states = {state: progress.context.get(f"slices_{state.value}", 0) for state in AttemptState}
    return describe_sliced_search(
        progress.items_processed,
        progress.items_total,
        choose_best(best, finished),
        Scale.read(child.progress if child else None),
        {state: int(count) for state, count in states.items() if count},
    )


async def _read_activity(pending: PendingActivityInfo, converter: DataConverter) -> Step:
    error = await read_error(pending.last_failure, converter)
    progress = await _read_progress(pending, converter)
    attempt = make_attempt(pending, error, progress)
    if pending.activity_type.name == _RECORD:
        return Step(attempt, describe_attempt(attempt) or "Recording the outcome", None)
    text = progress.current_step if WAITS_FOR in progress.context else describe_attempt(attempt)
    return Step(attempt, text, progress)


def _read_workflow_task(task: PendingWorkflowTaskInfo) -> Step | None:
    """Return that the workflow waits for a worker, if it has waited for too long."""
    since = read_time(task.original_scheduled_time) or read_time(task.scheduled_time)
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
