"""Progress of running work, from the heartbeat details in `describe()`."""

import contextlib

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError

from errors import UnreadablePayload
from quant.messages.progress import Progress
from workflows.contract import PHASE_START, PHASE_STEP, OperationInfo, Phase

_PHASES = list(Phase)

_WAITING = Progress(current_step="Waiting for a free worker")


async def read_activity_progress(
    description: WorkflowExecutionDescription, converter: DataConverter
) -> Progress | None:
    """Return the progress of the activity that this workflow awaits, if it awaits one."""
    for pending in description.raw_description.pending_activities:
        if pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            return _WAITING
        payloads = pending.heartbeat_details.payloads
        if payloads:
            # A heartbeat can be sent by hand, with any content.
            with contextlib.suppress(FailureError, UnreadablePayload, ValueError):
                [progress] = await converter.decode(payloads, [Progress])
                return Progress.model_validate(progress)
        return Progress(current_step="Starting")
    return None


def add_step_progress(research: OperationInfo, step: Progress) -> OperationInfo:
    """Return a research with the progress that follows from that of its running step."""
    phase = research.phase or Phase.QUEUED
    begin = PHASE_START[phase]
    end = PHASE_START[_PHASES[min(_PHASES.index(phase) + 1, len(_PHASES) - 1)]]
    percentage = begin + (end - begin) * step.percentage / 100
    current_step = f"{research.progress.current_step} {step.current_step}".strip()
    update = {"percentage": percentage, "current_step": current_step}
    return research.model_copy(update={"progress": step.model_copy(update=update)})


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
