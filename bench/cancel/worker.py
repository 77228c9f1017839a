"""`python -m bench.cancel.worker`: the worker process with stand-ins, and the bare workflows."""

import asyncio
import signal

from temporalio.client import Client
from temporalio.worker import Worker

from bench.cancel.bare import BARE_QUEUE, BareBacktest, BareResearch, BareTraining
from bench.cancel.stand_ins import StandIns
from settings import load_settings
from temporal.connection import connect
from worker import run_workers


async def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect()
    async with run_workers(client, settings, activities_class=StandIns), bare_worker(client):
        await stop.wait()


def bare_worker(client: Client) -> Worker:
    """Serve the bare workflows. Their activities are those of the guarded ones."""
    return Worker(
        client, task_queue=BARE_QUEUE, workflows=[BareResearch, BareTraining, BareBacktest]
    )


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    asyncio.run(main())
