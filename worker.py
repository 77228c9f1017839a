"""The worker process: settings, connection, one `Worker` for each task queue, graceful stop."""

import gc

from activities.computing.forking import start_fork_server

if __name__ == "__main__":
    # What is loaded is no garbage. To look for it takes a sixth of the time.
    gc.disable()
    # It loads its libraries while this process loads its own.
    start_fork_server()

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.computing.compute import Compute
from activities.heartbeat import heartbeat_interval
from activities.research import ResearchActivities
from errors import KtrdrError, StartupError
from settings import Settings, load_settings
from storage.ledger.ledger import Ledger
from temporal import telemetry, tracing
from temporal.connection import connect, pushes_cancels, register_search_attributes
from temporal.registrations import make_registrations
from temporal.shutdown import Deadline
from temporal.workflow_runner import OnTask, WatchedRunner, warn_of_slow
from workflows.policies import (
    COMPUTE_QUEUE,
    HEARTBEAT_TIMEOUT,
    RECORD_QUEUE,
    RESEARCH_QUEUE,
    WORKER_HEARTBEAT_INTERVAL,
)

_log = logging.getLogger(__name__)

# How many short writes run at once; more would gain nothing. The SDK warns if an executor has fewer
# threads than a worker has slots.
_RECORD_THREADS = 8

_SECONDS_BETWEEN_TOUCHES = 5

# The grace period. Compose and the embedded stack kill a worker only later.
STOP_SECONDS = 15.0


class Serve(Protocol):
    """Runs workers until its context ends."""

    def __call__(
        self, client: Client, settings: Settings, queues: Sequence[str], *, deadline: Deadline
    ) -> contextlib.AbstractAsyncContextManager[Sequence[Worker]]:
        """Serve the task queues as `run_workers` does."""
        ...


@contextlib.asynccontextmanager
async def run_workers(
    client: Client,
    settings: Settings,
    queues: Sequence[str] = (),
    *,
    activities_class: type[ResearchActivities] = ResearchActivities,
    deadline: Deadline | None = None,
    on_task: OnTask = warn_of_slow,
) -> AsyncIterator[list[Worker]]:
    """Serve task queues until the context ends.

    Work that still runs then is cancelled here. It continues on another worker, from its last
    checkpoint.

    Args:
        client: Client of the namespace to serve.
        settings: Settings of this process.
        queues: Task queues to serve. None named means all.
        activities_class: Class of the activities. Tests substitute their own.
        deadline: Ends this process if it does not stop. First it kills all compute processes and
            logs the workflows that refuse to stop.
        on_task: Takes the duration of every workflow task.
    """
    # The workers that run researches also record them.
    served = {*queues, COMPUTE_QUEUE} | ({RECORD_QUEUE} if RESEARCH_QUEUE in queues else set())
    async with contextlib.AsyncExitStack() as stack:
        ledger = Ledger(settings.ledger_url, settings.daily_budget)
        stack.callback(ledger.close)
        await asyncio.to_thread(ledger.upgrade)
        await register_search_attributes(client)
        compute = Compute(
            settings.compute_slots, settings.compute_memory, niceness=settings.compute_niceness
        )
        stack.push_async_callback(compute.close)
        compute.warm_up()
        runner = WatchedRunner(on_task=on_task)
        if deadline is not None:
            deadline.add_last_act(compute.kill_all)
            deadline.add_last_act(partial(_log_refusals, runner))
        activities = activities_class(
            compute=compute,
            ledger=ledger,
            settings=settings,
            cancels_are_pushed=await pushes_cancels(client),
        )
        records = stack.enter_context(
            ThreadPoolExecutor(
                max(settings.compute_slots, _RECORD_THREADS), thread_name_prefix="records"
            )
        )
        workers = [
            await stack.enter_async_context(
                Worker(
                    client,
                    task_queue=queue,
                    workflows=registration.workflows,
                    activities=registration.activities,
                    activity_executor=records,
                    workflow_runner=runner,
                    max_concurrent_activities=_RECORD_THREADS
                    if queue == RECORD_QUEUE
                    else settings.compute_slots,
                    max_heartbeat_throttle_interval=heartbeat_interval(HEARTBEAT_TIMEOUT),
                    graceful_shutdown_timeout=timedelta(0),
                    deployment_config=_make_deployment_config(settings),
                )
            )
            for queue, registration in make_registrations(
                activities, versioned=settings.deployment is not None
            ).items()
            if not queues or queue in served
        ]
        stack.push_async_callback(_shut_down, workers)
        yield workers


async def _shut_down(workers: Sequence[Worker]) -> None:
    """Shut down all at once. While one is slow, the others must not take new work."""
    await asyncio.gather(*(worker.shutdown() for worker in workers))


def _log_refusals(runner: WatchedRunner) -> None:
    for refusal in runner.refusals():
        _log.error(
            "%s %s refuses to stop:\n%s",
            refusal.workflow_type,
            refusal.workflow_id,
            refusal.stack,
        )


def _make_deployment_config(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the version of this worker, if versions run side by side.

    An operation stays on the version on which it was started. Its children and activities follow.
    """
    if settings.deployment is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def _touch_while_alive(alive_file: Path | None) -> None:
    """Touch the file for as long as the event loop runs."""
    while True:
        if alive_file is not None:
            _touch(alive_file)
        await asyncio.sleep(_SECONDS_BETWEEN_TOUCHES)


def _touch(alive_file: Path) -> None:
    try:
        alive_file.touch()
    except OSError as error:
        raise StartupError(f"KTRDR_ALIVE_FILE: {alive_file}: {error.strerror}.") from None


async def main(
    queues: Sequence[str], serve: Serve = run_workers, *, stop_seconds: float = STOP_SECONDS
) -> None:
    """Run until SIGTERM or SIGINT, and afterwards no longer than the grace period.

    Args:
        queues: Task queues to serve. None named means all.
        serve: Runs the workers. Tests and benchmarks pass their own.
        stop_seconds: The grace period.
    """
    settings = load_settings()
    telemetry.set_up_logging(settings, logging.INFO)
    deadline = Deadline(stop_seconds)
    life = asyncio.timeout(None)
    try:
        async with life:
            _end_on_signal(life, deadline)
            client = await connect(
                payload_keys=settings.payload_keys,
                plugins=tracing.make_plugins("ktrdr-worker"),
                runtime=telemetry.make_runtime(settings, WORKER_HEARTBEAT_INTERVAL),
            )
            async with serve(client, settings, queues, deadline=deadline) as workers:
                _log.info("serving %s", ", ".join(worker.task_queue for worker in workers))
                await _touch_while_alive(settings.alive_file)
    except TimeoutError:
        if not life.expired():
            raise


def _end_on_signal(life: asyncio.Timeout, deadline: Deadline) -> None:
    """Let SIGTERM and SIGINT interrupt this process at any time, also while it starts."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        _log.info("stopping")
        deadline.begin()
        if not life.expired():
            life.reschedule(loop.time())

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, end)


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    try:
        asyncio.run(main(sys.argv[1:]))
    except KtrdrError as error:
        sys.exit(error.message)
