"""`python -m bench.cancel.worker`: the worker process with stand-ins, and the bare workflows."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.compute import Compute
from bench.cancel.bare import BARE_QUEUE, BareBacktest, BareResearch, BareTraining
from bench.cancel.stand_ins import StandIns
from settings import Settings, load_settings
from storage.ledger import Ledger
from temporal.connection import connect
from worker import run_workers


async def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect()
    async with (
        run_workers(client, settings, activities_class=StandIns),
        _bare_worker(client, settings),
    ):
        await stop.wait()


@contextlib.asynccontextmanager
async def _bare_worker(client: Client, settings: Settings) -> AsyncIterator[None]:
    """Serve the bare workflows with the same activities and settings as the guarded ones."""
    ledger = Ledger(settings.ledger_url)
    activities = StandIns(
        compute=Compute(),
        ledger=ledger,
        settings=settings,
    )
    with ThreadPoolExecutor(settings.compute_slots) as records:
        async with Worker(
            client,
            task_queue=BARE_QUEUE,
            workflows=[BareResearch, BareTraining, BareBacktest],
            activities=[
                activities.design,
                activities.train,
                activities.backtest,
                activities.assessment,
                activities.record_experiment,
            ],
            activity_executor=records,
            max_concurrent_activities=settings.compute_slots,
            graceful_shutdown_timeout=timedelta(0),
        ):
            yield
    ledger.close()


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    asyncio.run(main())
