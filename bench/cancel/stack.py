"""The stack under measurement: Temporal server, worker and API as processes, on free ports."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from bench.cancel.jobs import find_idle_process
from bench.cancel.plans import Plan
from bench.temporary import connected_stack, start_research, temporary_settings
from cli.stack import Stack
from settings import Settings, load_settings
from temporal.dynamic_config import load_dynamic_config
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest

STAND_INS = ("-m", "bench.cancel.worker")
REAL = ("worker.py",)

_PUSH = ("system.enableCancelActivityWorkerCommand", "frontend.WorkerCommandsEnabled")
_CONNECTIONS = 64
_SECONDS_BETWEEN_LOOKS = 0.005
_SECONDS_BETWEEN_COUNTS = 0.2
_START_SECONDS = 300.0
_CPU_SECONDS_OF_REAL_WORK = 0.2


@dataclass(frozen=True)
class RunningResearch:
    """A running research, and the process that works for it."""

    handle: WorkflowHandle[Any, Any]
    pid: int


@dataclass(frozen=True)
class Bench:
    """A running stack and its clients."""

    settings: Settings
    stack: Stack
    client: Client
    http: httpx2.AsyncClient
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def cancel(self, operation_id: str, **query: Any) -> httpx2.Response:
        """Cancel by the route for researches."""
        return await self.http.delete(f"/agent/cancel/{operation_id}", params=query)

    async def stay(self, plan: Plan) -> RunningResearch:
        """Start a stand-in research, and return it when its process idles."""
        handle = await start_research(self.client, plan.request())
        pid = await self.wait_until_idle(handle.id, plan)
        return RunningResearch(handle, pid)

    async def wait_until_idle(self, research_id: str, plan: Plan) -> int:
        """Wait until the process of a stand-in research idles, and return its id."""
        assert plan.step is not None
        step = make_step_id(research_id, plan.step)
        deadline = time.monotonic() + _START_SECONDS
        while (pid := find_idle_process(self.settings.artifacts_url, step)) is None:
            assert time.monotonic() < deadline, f"{research_id} does not begin"
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        return pid

    async def compute(self, request: ResearchRequest) -> RunningResearch:
        """Start a real research, and return it when its process computes."""
        # No other process is started meanwhile, so the new one belongs to this research.
        async with self._starting:
            before = {process.pid for process in self.compute_processes()}
            handle = await start_research(self.client, request)
            deadline = time.monotonic() + _START_SECONDS
            while True:
                for process in self.compute_processes():
                    new = process.pid not in before
                    if new and _cpu_seconds(process) > _CPU_SECONDS_OF_REAL_WORK:
                        return RunningResearch(handle, process.pid)
                assert time.monotonic() < deadline, f"{handle.id} does not begin"
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    def worker_and_fork_server(self) -> list[psutil.Process]:
        """Return the worker process and the fork servers below it."""
        worker = psutil.Process(self.stack.get_pid("worker"))
        return [worker, *_fork_servers(worker)]

    def compute_processes(self) -> list[psutil.Process]:
        """Return the children of the worker's fork server, but for the one that has no job yet."""
        return [child for child, has_job in self._forked_processes() if has_job]

    def reserve_processes(self) -> list[psutil.Process]:
        """Return the children of the worker's fork server that wait for a job."""
        return [child for child, has_job in self._forked_processes() if not has_job]

    def _forked_processes(self) -> Iterator[tuple[psutil.Process, bool]]:
        """Yield children of fork servers, and whether each has a job."""
        worker = psutil.Process(self.stack.get_pid("worker"))
        for server in _fork_servers(worker):
            for child in server.children():
                yield child, _has_job(child, server)

    async def count_running(self) -> int:
        """Count the workflows that have not closed."""
        return (await self.client.count_workflows("ExecutionStatus = 'Running'")).count

    async def wait_until_nothing_runs(self) -> None:
        """Wait until all workflows have closed and their processes have gone."""
        while await self.count_running() or self.compute_processes():  # noqa: ASYNC110 - no event
            await asyncio.sleep(_SECONDS_BETWEEN_COUNTS)

    async def end_everything(self) -> None:
        """Terminate all workflows, and wait until their processes have gone."""
        # Repeatedly: a list may not yet show what has just been started.
        while await self.count_running() or self.compute_processes():
            async for execution in self.client.list_workflows("ExecutionStatus = 'Running'"):
                with contextlib.suppress(RPCError):
                    await self.client.get_workflow_handle(execution.id).terminate()
            await asyncio.sleep(_SECONDS_BETWEEN_COUNTS)


async def cancel_all(researches: Sequence[RunningResearch]) -> None:
    """Cancel and wait for the end."""
    for research in researches:
        await research.handle.cancel()
    await asyncio.gather(*(wait_for_end(research.handle) for research in researches))


async def wait_for_end(handle: WorkflowHandle[Any, Any]) -> float:
    """Wait until Temporal says that a workflow has closed. Return when it said so."""
    with contextlib.suppress(WorkflowFailureError):
        await handle.result(follow_runs=False)
    return time.perf_counter()


@contextlib.asynccontextmanager
async def bench_stack(
    *, slots: int, worker: Sequence[str] = STAND_INS, push: bool = True
) -> AsyncIterator[Bench]:
    """Run a stack.

    Args:
        slots: Steps that the worker runs at once.
        worker: What Python runs as the worker.
        push: Whether the server may tell the worker of a cancel at once.
    """
    config = {
        name: value for name, value in load_dynamic_config().items() if push or name not in _PUSH
    }
    with temporary_settings():
        os.environ["KTRDR_COMPUTE_SLOTS"] = str(slots)
        settings = load_settings()
        limits = httpx2.Limits(max_connections=_CONNECTIONS)
        async with (
            connected_stack(settings, worker=worker, server_config=config) as (stack, client),
            httpx2.AsyncClient(base_url=settings.api_url, timeout=60.0, limits=limits) as http,
        ):
            yield Bench(settings, stack, client, http)


def _fork_servers(worker: psutil.Process) -> list[psutil.Process]:
    return [
        child
        for child in worker.children()
        if any("multiprocessing.forkserver" in part for part in child.cmdline())
    ]


def _has_job(process: psutil.Process, fork_server: psutil.Process) -> bool:
    """Whether a process computes: only then it lets others go first."""
    try:
        return process.nice() > fork_server.nice()
    except psutil.NoSuchProcess:
        return False


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
