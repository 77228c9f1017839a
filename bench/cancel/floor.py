"""What a cancel costs at least: the bare SDK cancels a workflow whose activity owns a process.

There is no API, and nothing is checked, shown or recorded. Worker and client are one process.
"""

import asyncio
import time
from collections import deque
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from bench.cancel.barest_workflows import BAREST_QUEUE, BarestParent, BarestStep
from bench.cancel.deaths import Deaths
from bench.cancel.stack import wait_for_end
from settings import Settings
from temporal.telemetry import make_runtime
from workflows.policies import WORKER_HEARTBEAT_INTERVAL

_SECONDS_BETWEEN_HEARTBEATS = 1.0
_START_SECONDS = 60.0


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


async def measure_floor(
    settings: Settings, workflow: type[BarestStep | BarestParent], *, running: int, cancels: int
) -> list[float]:
    """Cancel one of many again and again. Return the milliseconds until its process was dead.

    Args:
        settings: Those of the stack that runs.
        workflow: Whether the activity belongs to the workflow itself or to a child.
        running: How many run at once.
        cancels: How many are cancelled.
    """
    # A worker that reports to Temporal is told of a cancel at once.
    client = await Client.connect(
        f"127.0.0.1:{settings.temporal_port}",
        runtime=make_runtime(settings, WORKER_HEARTBEAT_INTERVAL),
    )
    processes = _Processes()
    async with Worker(
        client,
        task_queue=BAREST_QUEUE,
        workflows=[BarestStep, BarestParent],
        activities=[processes.stay],
        max_concurrent_activities=running + 1,
    ):
        started = [await _start(client, workflow, processes) for _ in range(running)]
        waiting = deque(started)
        milliseconds = []
        with Deaths(pid for _, pid in started) as deaths:
            for _ in range(cancels):
                handle, pid = waiting.popleft()
                dying = asyncio.get_running_loop().run_in_executor(None, deaths.wait_for_next)
                began = time.perf_counter()
                await handle.cancel()
                dead, died_at = await dying
                assert dead == {pid}, f"{dead} died instead of {pid}"
                milliseconds.append(1000 * (died_at - began))
                await wait_for_end(handle)
                waiting.append(await _start(client, workflow, processes))
                deaths.watch(waiting[-1][1])
        for handle, _ in waiting:
            await handle.cancel()
        await asyncio.gather(*(wait_for_end(handle) for handle, _ in waiting))
    return milliseconds


async def _start(
    client: Client, workflow: type[BarestStep | BarestParent], processes: _Processes
) -> tuple[WorkflowHandle[Any, Any], int]:
    """Start a workflow, and return it with its process when that runs."""
    handle = await client.start_workflow(
        workflow.run, id=f"barest-{uuid4().hex}", task_queue=BAREST_QUEUE
    )
    async with asyncio.timeout(_START_SECONDS):
        return handle, await processes.begun.get()
