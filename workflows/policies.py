"""Task queues, timeouts, retries and cancellation of every step, defined once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.types import MethodAsyncNoParam
from temporalio.workflow import ActivityCancellationType, ChildWorkflowCancellationType

from quant.bars.timeframes import count_minutes
from workflows.cancellation import run_child

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")

RESEARCH_QUEUE = "research"
TRAINING_QUEUE = "training"
BACKTEST_QUEUE = "backtest"
RECORD_QUEUE = "records"
# The queues of the workflows. Whoever serves one of them also computes.
WORKFLOW_QUEUES = (RESEARCH_QUEUE, TRAINING_QUEUE, BACKTEST_QUEUE)
# All that computes, whatever it is: one queue, so that the slots of a worker process are shared by
# all of it, and the slices of a search spread over all workers.
COMPUTE_QUEUE = "compute"

# So long after the death of a worker its steps continue elsewhere.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)

# How often a worker tells Temporal how many of its slots are in use. What `ktrdr workers` shows is
# at most so old.
WORKER_HEARTBEAT_INTERVAL = timedelta(seconds=5)

# A computation may wait in its queue without limit. Then it may run so long, if it heartbeats.
LONGEST_COMPUTE = timedelta(days=7)

# Only transient errors are retried: the death of a process or a worker, a full disk. The attempts
# suffice for 49 crashes and deployments of a step, or for a disk that is full for 20 minutes.
COMPUTE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=50,
)

# The ledger may be away for about a minute and a half. A worker may be away without limit.
LONGEST_RECORD = timedelta(seconds=15)
RECORD_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.5),
    maximum_interval=timedelta(seconds=20),
    maximum_attempts=10,
)

# A member of a campaign waits so until fewer researches are active, without limit.
ADMISSION_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=1.5,
    maximum_interval=timedelta(seconds=15),
)

# Some hundred small files.
LONGEST_GATHERING = timedelta(minutes=1)

LONGEST_READ = timedelta(seconds=15)
READ_RETRIED_FOR = timedelta(minutes=2)

# Whoever is told may be away for a day.
LONGEST_NOTICE = timedelta(minutes=1)
NOTICE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=10),
    maximum_interval=timedelta(hours=1),
    maximum_attempts=30,
)

# A watch looks for new bars four times in the length of one, within these limits.
LOOKS_PER_BAR = 4
SHORTEST_SLEEP = timedelta(minutes=5)
LONGEST_SLEEP = timedelta(hours=6)

# "Cancelled" must mean that the work has stopped, so every cancel is awaited.
ACTIVITY_CANCELLATION = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
CHILD_CANCELLATION = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED


def run_compute(
    activity: Callable[[Any, _Argument], Awaitable[_Result]],
    task: _Argument,
    *,
    summary: str,
    activity_id: str | None = None,
    priority: Priority = Priority.default,
) -> Awaitable[_Result]:
    """Run a step that computes, on any worker.

    By default the step has the priority of the workflow, and the name of its activity as its id.
    """
    return workflow.execute_activity_method(
        activity,
        task,
        activity_id=activity_id or activity.__name__,
        summary=summary,
        task_queue=COMPUTE_QUEUE,
        start_to_close_timeout=LONGEST_COMPUTE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=COMPUTE_RETRY,
        cancellation_type=ACTIVITY_CANCELLATION,
        priority=priority,
    )


def record(
    activity: Callable[[Any, _Argument], _Result], argument: _Argument, *, summary: str
) -> Awaitable[_Result]:
    """Write into the ledger, on a separate task queue, so that no record waits behind compute.

    A local activity would lose a cancel. The server rejects the end of a workflow if a cancel has
    arrived meanwhile, and replays the workflow. A replay resolves a local activity before it sees
    the later events. A workflow that ends right after it would then end again, ignoring the cancel.
    """
    return _run_beside_compute(
        activity, argument, summary=summary, longest=LONGEST_RECORD, retry=RECORD_RETRY
    )


def notify(
    activity: Callable[[Any, _Argument], Awaitable[None]], notice: _Argument
) -> Awaitable[None]:
    """Tell people of something."""
    return _run_beside_compute(
        activity, notice, summary="Tell people", longest=LONGEST_NOTICE, retry=NOTICE_RETRY
    )


def get_time_between_looks(timeframe: str) -> timedelta:
    """Return how long a watch sleeps, unless somebody says that bars have come."""
    length = timedelta(minutes=count_minutes(timeframe))
    return min(max(length / LOOKS_PER_BAR, SHORTEST_SLEEP), LONGEST_SLEEP)


def gather(
    activity: Callable[[Any, _Argument], Awaitable[_Result]],
    argument: _Argument,
    *,
    activity_id: str,
    summary: str,
) -> Awaitable[_Result]:
    """Put results together that are in the artifact store, where no compute is in the way."""
    return _run_beside_compute(
        activity,
        argument,
        activity_id=activity_id,
        summary=summary,
        longest=LONGEST_GATHERING,
        retry=COMPUTE_RETRY,
    )


def wait_for_admission(
    activity: Callable[[_Argument], Awaitable[None]], argument: _Argument, *, summary: str
) -> Awaitable[None]:
    """Try again and again until the activity succeeds. Failed attempts leave no events."""
    return _run_beside_compute(
        activity, argument, summary=summary, longest=LONGEST_RECORD, retry=ADMISSION_RETRY
    )


def _run_beside_compute(
    activity: Callable[..., Any],
    argument: object,
    *,
    summary: str,
    longest: timedelta,
    retry: RetryPolicy,
    activity_id: str | None = None,
) -> Awaitable[Any]:
    """Run an activity on the queue on which nothing waits behind compute."""
    return workflow.execute_activity(
        activity,
        argument,
        activity_id=activity_id,
        summary=summary,
        task_queue=RECORD_QUEUE,
        start_to_close_timeout=longest,
        retry_policy=retry,
        cancellation_type=ACTIVITY_CANCELLATION,
    )


def read(
    activity: Callable[[Any, _Argument], _Result], argument: _Argument, *, summary: str
) -> Awaitable[_Result]:
    """Run a short read as a local activity. It must not be the last step: see `record`."""
    return workflow.execute_local_activity_method(
        activity,
        argument,
        summary=summary,
        start_to_close_timeout=LONGEST_READ,
        schedule_to_close_timeout=READ_RETRIED_FOR,
        cancellation_type=ACTIVITY_CANCELLATION,
    )


def read_temporal(
    activity: Callable[[_Argument], Awaitable[_Result]], argument: _Argument, *, summary: str
) -> Awaitable[_Result]:
    """Run a short read from Temporal itself as a local activity."""
    return workflow.execute_local_activity(
        activity,
        argument,
        summary=summary,
        start_to_close_timeout=LONGEST_READ,
        schedule_to_close_timeout=READ_RETRIED_FOR,
        cancellation_type=ACTIVITY_CANCELLATION,
    )


def run_child_workflow(
    run: Callable[[Any, _Argument], Awaitable[_Result]],
    argument: _Argument,
    *,
    child_id: str,
    task_queue: str,
    attributes: Sequence[SearchAttributePair[Any]],
    memo: Mapping[str, Any],
    summary: str,
    priority: Priority,
    get_reason: Callable[[], str | None] = workflow.cancellation_reason,
) -> Awaitable[_Result]:
    """Run a child workflow to its end. A cancel is passed on with its reason, and awaited."""
    return run_child(
        workflow.start_child_workflow(
            run,
            argument,
            id=child_id,
            task_queue=task_queue,
            cancellation_type=CHILD_CANCELLATION,
            search_attributes=TypedSearchAttributes(attributes),
            memo=memo,
            static_summary=summary,
            priority=priority,
        ),
        get_reason,
    )


async def cancel_this_workflow(activity: MethodAsyncNoParam[Any, None]) -> None:
    """Run the activity that asks Temporal to cancel the workflow it belongs to."""
    await workflow.execute_local_activity_method(
        activity,
        summary="A step was cancelled, and this with it",
        start_to_close_timeout=LONGEST_READ,
        schedule_to_close_timeout=READ_RETRIED_FOR,
        cancellation_type=ACTIVITY_CANCELLATION,
    )
