"""Which errors fail a workflow, and how failures are unwrapped to their root cause."""

from temporalio.exceptions import ApplicationError, FailureError, TimeoutError, TimeoutType

# A wrong number of arguments fails a workflow; invalid values do so by themselves
# (`temporal.converter`). Nothing else may: after a nondeterminism error, above all, workflows must
# wait for the right code instead of failing every research in flight.
WRONG_ARGUMENTS = (TypeError,)

_TIMEOUT_TEXT = {
    TimeoutType.HEARTBEAT: "every worker that started the step stopped sending heartbeats",
    TimeoutType.START_TO_CLOSE: "the step took longer than allowed",
    TimeoutType.SCHEDULE_TO_CLOSE: "the step did not succeed within the allowed time",
    TimeoutType.SCHEDULE_TO_START: "no worker started the step in time",
}


def root_cause(error: BaseException) -> BaseException:
    """Follow the chain of causes that Temporal has recorded to its root."""
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    return error


def message_of(error: BaseException) -> str:
    """Return the root cause in words for the user."""
    cause = root_cause(error)
    if isinstance(cause, TimeoutError) and cause.type is not None:
        return _TIMEOUT_TEXT[cause.type]
    return cause.message if isinstance(cause, FailureError) else str(cause)


def reason_of(error: BaseException) -> str:
    """Return the machine-readable reason of the root cause."""
    cause = root_cause(error)
    if isinstance(cause, ApplicationError) and cause.type:
        return cause.type
    return type(cause).__name__
