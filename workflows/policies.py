"""Task queues, timeouts and retries: each defined once."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig, LocalActivityConfig

RESEARCH_QUEUE = "research"
TRAINING_QUEUE = "training"
BACKTEST_QUEUE = "backtest"

# A worker that dies is noticed after this long, and the step continues elsewhere.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)

# Compute activities wait in their queue for as long as it takes, and then run as long as they
# need to while they heartbeat. Only the death of a process or worker is retried, so the bound
# on attempts is a bound on crashes and deployments that one step may live through.
COMPUTE = ActivityConfig(
    start_to_close_timeout=timedelta(days=7),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(seconds=30),
        maximum_attempts=50,
    ),
    # "Cancelled" must mean that the work has stopped.
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

# Short reads and writes, done by the worker that runs the workflow, so that they never wait
# behind compute for a slot.
RECORD = LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(minutes=2),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
