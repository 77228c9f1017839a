"""Which errors fail a workflow, and how a failure is unwrapped to its root cause."""

from temporalio.exceptions import ApplicationError, FailureError, TimeoutError, TimeoutType

# A wrong number of arguments fails a workflow. Invalid values do so by themselves
# (`temporal.converter`). No other exception may: after a nondeterminism error, for example, the
# workflow task is retried until the right code runs, and no research is lost.
WRONG_ARGUMENTS = (TypeError,)

_TIMEOUT_TEXT = {
    TimeoutType.HEARTBEAT: "every worker that started the step stopped sending heartbeats",
    TimeoutType.START_TO_CLOSE: "the step took longer than allowed",
    TimeoutType.SCHEDULE_TO_CLOSE: "the step did not succeed within the allowed time",
    TimeoutType.SCHEDULE_TO_START: "no worker started the step in time",
}


def find_root_cause(error: BaseException) -> BaseException:
    """Return the first cause in the chain that Temporal has recorded."""
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    return error


def describe_failure(error: BaseException) -> str:
    """Return the root cause in words for the user."""
    cause = find_root_cause(error)
    if isinstance(cause, TimeoutError) and cause.type is not None:
        return _TIMEOUT_TEXT[cause.type]
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    # Some exceptions of Python have no message.
    return message or get_reason(error)


def get_reason(error: BaseException) -> str:
    """Return the machine-readable reason of the root cause."""
    cause = find_root_cause(error)
    if isinstance(cause, ApplicationError) and cause.type:
        return cause.type
    return type(cause).__name__
