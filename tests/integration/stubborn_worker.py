"""A worker process that also serves workflows which cannot be evicted."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

from temporalio.client import Client
from temporalio.worker import Worker

from settings import Settings
from temporal.shutdown import Deadline
from tests.integration.stubborn_workflows import Busy, Interrupted, Slow, Stubborn
from worker import main, run_workers

STUBBORN_QUEUE = "stubborn"


@contextlib.asynccontextmanager
async def _serve(
    client: Client, settings: Settings, queues: Sequence[str], *, deadline: Deadline
) -> AsyncIterator[Sequence[Worker]]:
    async with run_workers(client, settings, queues, deadline=deadline) as workers:
        stubborn = Worker(
            client,
            task_queue=STUBBORN_QUEUE,
            workflows=[Busy, Interrupted, Slow, Stubborn],
            workflow_runner=workers[0].config()["workflow_runner"],
        )
        async with stubborn:
            yield [*workers, stubborn]


if __name__ == "__main__":
    # As in worker.py.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    asyncio.run(main([], _serve, stop_seconds=float(sys.argv[1])))
