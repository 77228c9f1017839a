"""Progress of running work: the heartbeat details in `describe()`."""

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowExecutionDescription
from temporalio.converter import DataConverter

from quant.messages.progress import Progress
from workflows.contract import PHASE_START, PHASE_STEP, OperationInfo, Phase

_PHASES = list(Phase)

_WAITING = Progress(current_step="Waiting for a free worker")


async def activity_progress(
    description: WorkflowExecutionDescription, converter: DataConverter
) -> Progress | None:
    """Return the progress of the activity that this workflow awaits, if there is one."""
    for pending in description.raw_description.pending_activities:
        if pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            return _WAITING
        payloads = pending.heartbeat_details.payloads
        if payloads:
            [progress] = await converter.decode(payloads, [Progress])
            return Progress.model_validate(progress)
        return Progress(current_step="Starting")
    return None


def research_progress(info: OperationInfo, step: Progress) -> OperationInfo:
    """Map the progress of the running step to that of its research."""
    phase = info.phase or Phase.QUEUED
    begin = PHASE_START[phase]
    end = PHASE_START[_PHASES[min(_PHASES.index(phase) + 1, len(_PHASES) - 1)]]
    overall = begin + (end - begin) * step.percentage / 100
    named = f"{info.progress.current_step} {step.current_step}".strip()
    return info.model_copy(
        update={"progress": step.model_copy(update={"percentage": overall, "current_step": named})}
    )


def carried_over(now: OperationInfo, before: OperationInfo) -> OperationInfo:
    """Keep the last known progress of a phase if no step of it is visible at this moment."""
    sees_no_step = (
        now.phase is not None
        and now.phase == before.phase
        and now.progress.current_step == PHASE_STEP[now.phase]
    )
    if not sees_no_step or now.progress.percentage >= before.progress.percentage:
        return now
    return now.model_copy(update={"progress": before.progress})
