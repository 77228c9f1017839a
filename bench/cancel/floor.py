"""What a cancel costs at least: the bare SDK cancels a workflow whose activity owns a process.

There is no API, and nothing is checked, shown or recorded. Worker and client are one process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.cancel.barest_workflows import BAREST_QUEUE, BarestParent, BarestStep
from bench.cancel.stack import RunningResearch
from settings import Settings
from temporal.telemetry import make_runtime
from workflows.policies import WORKER_HEARTBEAT_INTERVAL

_SECONDS_BETWEEN_HEARTBEATS = 1.0
_START_SECONDS = 60.0

Begin = Callable[[type[BarestStep | BarestParent]], Awaitable[RunningResearch]]


class _Processes:
    """The processes of the activities.

    Attributes:
        begun: Each process that has started, one after the other.
    """

    def __init__(self) -> None:
        self.begun: asyncio.Queue[int] = asyncio.Queue()

    @activity.defn
    async def stay(self) -> None:
        """Start a process, and kill it when this is cancelled."""
        process = await asyncio.create_subprocess_exec("sleep", "infinity")
        self.begun.put_nowait(process.pid)
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(_SECONDS_BETWEEN_HEARTBEATS)
        finally:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def barest_steps(settings: Settings, *, slots: int) -> AsyncIterator[Begin]:
    """Serve the barest workflows, and yield what starts one and waits for its process.

    Args:
        settings: Those of the stack that runs.
        slots: How many processes may run at once.
    """
    # A worker that reports to Temporal is told of a cancel at once.
    client = await Client.connect(
        f"127.0.0.1:{settings.temporal_port}",
        runtime=make_runtime(settings, WORKER_HEARTBEAT_INTERVAL),
    )
    processes = _Processes()
    starting = asyncio.Lock()

    async def begin(workflow: type[BarestStep | BarestParent]) -> RunningResearch:
        # No other is started meanwhile, so the next process belongs to this one.
        async with starting, asyncio.timeout(_START_SECONDS):
            handle = await client.start_workflow(
                workflow.run, id=f"barest-{uuid4().hex}", task_queue=BAREST_QUEUE
            )
            return RunningResearch(handle, await processes.begun.get())

    async with Worker(
        client,
        task_queue=BAREST_QUEUE,
        workflows=[BarestStep, BarestParent],
        activities=[processes.stay],
        max_concurrent_activities=slots,
    ):
        yield begin
