"""How far an operation is: the progress of its step, and where the step is within the whole."""

from pydantic import ValidationError
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    FailureError,
    TimeoutError,
)

from quant.messages.progress import Progress
from workflows.contract import PHASE_START, PHASE_STEP, Phase

_PHASES = list(Phase)


def place_step(phase: Phase, step: Progress) -> Progress:
    """Return the progress of a research whose present step has this progress."""
    begin = PHASE_START[phase]
    end = PHASE_START[_PHASES[min(_PHASES.index(phase) + 1, len(_PHASES) - 1)]]
    return step.model_copy(
        update={
            "percentage": round(begin + (end - begin) * step.percentage / 100, 1),
            "current_step": f"{PHASE_STEP[phase]} {step.current_step}".strip(),
        }
    )


def find_progress(error: BaseException) -> Progress | None:
    """Return how far the step was that failed or was cancelled, if its failure says so.

    The last detail of a failure is the progress (`temporal.failures`). If a worker died, it is that
    of the last heartbeat.
    """
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    if isinstance(error, ApplicationError | CancelledError):
        details = error.details
    elif isinstance(error, TimeoutError):
        details = error.last_heartbeat_details
    else:
        return None
    try:
        return Progress.model_validate(details[-1]) if details else None
    except ValidationError:
        return None
