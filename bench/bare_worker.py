"""`python -m bench.bare_worker`: the worker process, which also runs the bare workflows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from temporalio.client import Client
from temporalio.worker import Worker

from bench.cancel.worker import bare_worker
from settings import Settings
from temporal.shutdown import Deadline
from worker import main, run_workers


@contextlib.asynccontextmanager
async def _serve(
    client: Client, settings: Settings, queues: Sequence[str], *, deadline: Deadline
) -> AsyncIterator[Sequence[Worker]]:
    async with (
        run_workers(client, settings, queues, deadline=deadline) as workers,
        bare_worker(client),
    ):
        yield workers


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    asyncio.run(main([], _serve))
