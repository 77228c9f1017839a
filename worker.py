"""The worker process: settings, connection, one `Worker` per task queue, graceful stop."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.admission import count_active
from activities.compute import Compute
from activities.heartbeat import HEARTBEAT_SECONDS, QUIET_HEARTBEAT_SECONDS
from activities.research import ResearchActivities
from errors import KtrdrError, StartupError
from settings import Settings, load_settings
from storage.ledger import Ledger
from temporal import telemetry, tracing
from temporal.connection import connect, pushes_cancels, register_search_attributes
from workflows.admission import Admission, LastingAdmission
from workflows.backtest import Backtest
from workflows.claim import Claim
from workflows.policies import (
    BACKTEST_QUEUE,
    RECORD_QUEUE,
    RESEARCH_QUEUE,
    TRAINING_QUEUE,
    WORKER_HEARTBEAT_INTERVAL,
)
from workflows.research import Research
from workflows.training import Training

_log = logging.getLogger(__name__)

# The SDK warns if an executor has fewer threads than a worker has slots; more than this many
# short writes at once gain nothing.
_RECORD_THREADS = 8

_SECONDS_BETWEEN_SIGNS_OF_LIFE = 5


@dataclass(frozen=True)
class Registration:
    """What a worker on one task queue serves."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]


def registrations(
    activities: ResearchActivities, *, versioned: bool = False
) -> dict[str, Registration]:
    """Return what is served, by task queue."""
    return {
        RESEARCH_QUEUE: Registration(
            [Research, Claim, LastingAdmission if versioned else Admission],
            [
                activities.load_strategy,
                activities.design,
                activities.assessment,
                activities.cancel_own_workflow,
                count_active,
            ],
        ),
        TRAINING_QUEUE: Registration(
            [Training], [activities.train, activities.cancel_own_workflow]
        ),
        BACKTEST_QUEUE: Registration(
            [Backtest], [activities.backtest, activities.cancel_own_workflow]
        ),
        RECORD_QUEUE: Registration([], [activities.record_experiment]),
    }


@contextlib.asynccontextmanager
async def running_workers(
    client: Client,
    settings: Settings,
    queues: Sequence[str] = (),
    *,
    kind: type[ResearchActivities] = ResearchActivities,
) -> AsyncIterator[list[Worker]]:
    """Serve the task queues (all of them by default) until the context ends.

    Work still running at that point is cancelled on this worker and continues on another one, from
    its last checkpoint.

    Args:
        client: of the namespace to serve.
        settings: where artifacts and ledger are, and how much runs at once.
        queues: task queues to serve.
        kind: class of the activities; tests substitute their own.
    """
    # The workers that run researches also record them.
    served = {*queues, RECORD_QUEUE} if RESEARCH_QUEUE in queues else set(queues)
    ledger = Ledger(settings.ledger, settings.budget)
    await asyncio.to_thread(ledger.upgrade)
    await register_search_attributes(client)
    compute = Compute()
    compute.warm_up()
    activities = kind(
        compute=compute,
        ledger=ledger,
        settings=settings,
        quiet_heartbeat_seconds=QUIET_HEARTBEAT_SECONDS
        if await pushes_cancels(client)
        else HEARTBEAT_SECONDS,
    )
    with ThreadPoolExecutor(
        max(settings.compute_slots, _RECORD_THREADS), thread_name_prefix="records"
    ) as records:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(ledger.close)
            stack.callback(compute.close)
            yield [
                await stack.enter_async_context(
                    Worker(
                        client,
                        task_queue=queue,
                        workflows=registration.workflows,
                        activities=registration.activities,
                        activity_executor=records,
                        max_concurrent_activities=_RECORD_THREADS
                        if queue == RECORD_QUEUE
                        else settings.compute_slots,
                        max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SECONDS),
                        graceful_shutdown_timeout=timedelta(0),
                        deployment_config=_deployment(settings),
                    )
                )
                for queue, registration in registrations(
                    activities, versioned=settings.deployment is not None
                ).items()
                if not queues or queue in served
            ]


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the version of this worker, if versions run side by side.

    An operation stays on the version that it was started on; children and activities follow their
    research.
    """
    if settings.deployment is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def _until(stop: asyncio.Event, alive_file: Path | None) -> None:
    """Wait for the end; until then the file is touched for as long as the event loop runs."""
    while not stop.is_set():
        if alive_file is not None:
            _touch(alive_file)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _SECONDS_BETWEEN_SIGNS_OF_LIFE)


def _touch(alive_file: Path) -> None:
    try:
        alive_file.touch()
    except OSError as error:
        raise StartupError(f"KTRDR_ALIVE_FILE: {alive_file}: {error.strerror}.") from None


async def main(queues: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load_settings()
    telemetry.set_up_logging(settings, logging.INFO)
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    client = await connect(
        payload_keys=settings.payload_keys,
        plugins=tracing.plugins("ktrdr-worker"),
        runtime=telemetry.runtime(settings, WORKER_HEARTBEAT_INTERVAL),
    )
    async with running_workers(client, settings, queues) as workers:
        _log.info("serving %s", ", ".join(worker.task_queue for worker in workers))
        await _until(stop, settings.alive_file)
        _log.info("stopping")


if __name__ == "__main__":
    # multiprocessing would import this file again in every compute process, which needs none of it.
    del __file__
    try:
        asyncio.run(main(sys.argv[1:]))
    except KtrdrError as error:
        sys.exit(error.message)
