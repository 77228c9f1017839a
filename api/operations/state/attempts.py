"""The present attempt of a pending activity: whether it computes or waits, and for what."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError

from errors import KtrdrError
from quant.messages.progress import WAITS_FOR, Progress
from workflows.interface.contract import Attempt, AttemptState
from workflows.interface.failures import describe_failure

COMPUTING = (
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED,
)

# With these the SDK reports an attempt that was interrupted from outside. Nothing went wrong.
_INTERRUPTIONS = ("ActivityPause", "ActivityReset")


def make_attempt(pending: PendingActivityInfo, error: str | None, progress: Progress) -> Attempt:
    """Return the attempt that is pending, from its last error and its last heartbeat."""
    now, next_attempt_at = datetime.now(UTC), read_time(pending.next_attempt_schedule_time)
    if pending.state in COMPUTING and WAITS_FOR in progress.context:
        state, since = AttemptState.WAITING, pending.last_started_time
    elif pending.state in COMPUTING:
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
        since=read_time(since),
        last_error=error,
        next_attempt_at=next_attempt_at if state is AttemptState.RETRYING else None,
    )


def describe_attempt(attempt: Attempt) -> str | None:
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


async def read_error(failure: Failure, converter: DataConverter) -> str | None:
    """Return why the last attempt failed. None if it did not."""
    if not failure.ByteSize() or failure.application_failure_info.type in _INTERRUPTIONS:
        return None
    copy = Failure()
    copy.CopyFrom(failure)
    try:
        return describe_failure(await converter.decode_failure(copy))
    except (FailureError, KtrdrError, ValidationError):
        return failure.message or None


def read_time(moment: Timestamp) -> datetime | None:
    """Return a moment of Temporal's, in UTC. None if it is not set."""
    return moment.ToDatetime(UTC) if moment.ByteSize() else None
