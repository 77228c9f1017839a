"""What fails a workflow, and failures unwrapped to their first cause."""

from temporalio.exceptions import ApplicationError, FailureError, TimeoutError, TimeoutType

# The wrong number of arguments ends a workflow; values that do not fit do so by themselves
# (`workflows.converter`). Nothing else may: code that contradicts the history, above all, must
# wait for the right code instead of ending every research in flight.
WRONG_ARGUMENTS = (TypeError,)

_TIMEOUT_TEXT = {
    TimeoutType.HEARTBEAT: "no worker finished the step: every one that began it went silent",
    TimeoutType.START_TO_CLOSE: "the step took longer than is allowed",
    TimeoutType.SCHEDULE_TO_CLOSE: "the step did not succeed in the time that is allowed",
    TimeoutType.SCHEDULE_TO_START: "no worker took the step in time",
}


def root_cause(error: BaseException) -> BaseException:
    """Follow the causes that Temporal has recorded to the first one."""
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    return error


def message_of(error: BaseException) -> str:
    """Return the first cause in words for the user."""
    cause = root_cause(error)
    if isinstance(cause, TimeoutError) and cause.type is not None:
        return _TIMEOUT_TEXT[cause.type]
    return cause.message if isinstance(cause, FailureError) else str(cause)


def reason_of(error: BaseException) -> str:
    """Return the machine-readable reason of the first cause."""
    cause = root_cause(error)
    if isinstance(cause, ApplicationError) and cause.type:
        return cause.type
    return type(cause).__name__
