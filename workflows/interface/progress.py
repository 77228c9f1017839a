"""How far an operation is: the progress of its step, and where the step is within the whole."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import ValidationError
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    FailureError,
    TimeoutError,
)

from quant.messages.progress import Progress
from quant.search.progress import BEST_SHARPE, Scale, describe_search
from workflows.interface.contract import PHASE_START, PHASE_STEP, AttemptState, Phase

_PHASES = list(Phase)

# In the context of the progress of a search: how many trials earlier runs had scored.
SCORED_BEFORE = "scored_before"


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


def describe_sliced_search(
    scored: int,
    trials: int,
    best: float | None,
    scale: Scale | None,
    slices: Mapping[AttemptState, int] = MappingProxyType({}),
) -> Progress:
    """Return the progress of a search in slices.

    Args:
        scored: Number of trials that are scored.
        trials: Number of all trials.
        best: The best Sharpe ratio so far, annualised; None if none traded.
        scale: What luck depends on; None if it is not known.
        slices: How many slices there are in each state, of those that have not finished.
    """
    progress = describe_search(scored, trials, best, scale)
    states = ", ".join(f"{slices[state]} {state}" for state in AttemptState if slices.get(state))
    counts = {f"slices_{state}": count for state, count in slices.items()}
    return progress.model_copy(
        update={
            "current_step": progress.current_step + (f" · slices: {states}" if states else ""),
            "context": progress.context | counts,
        }
    )


def read_best(progress: Progress) -> float | None:
    """Return the best Sharpe ratio that a search has reported; None if there is none."""
    best = progress.context.get(BEST_SHARPE)
    return float(best) if isinstance(best, int | float) else None


def choose_best(first: float | None, second: float | None) -> float | None:
    """Return the higher Sharpe ratio of two; None if there is none."""
    return max((each for each in (first, second) if each is not None), default=None)
