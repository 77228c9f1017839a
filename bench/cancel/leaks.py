"""What cancelled and failed researches leave behind."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import WorkflowHandle

from bench.cancel.plans import FAILURES, STAYS, Plan
from bench.cancel.stack import Bench, bench_stack, cancel_all, wait_for_end
from bench.figures import Figure
from bench.temporary import start_research

SLOTS = 12
_STARTED_SECONDS = 60.0
_LOOKS = 100
_SECONDS_BETWEEN_LOOKS = 0.1

Handle = WorkflowHandle[Any, Any]


@dataclass(frozen=True)
class Usage:
    """What the worker and its fork server hold."""

    memory_mib: float
    descriptors: int

    @classmethod
    def measure(cls, bench: Bench) -> "Usage":
        """Measure now."""
        processes = bench.worker_and_fork_server()
        memory = sum(process.memory_info().rss for process in processes) / 2**20
        return cls(memory, sum(process.num_fds() for process in processes))


@dataclass(frozen=True)
class Leftovers:
    """Everything that should be gone."""

    orphans: int
    open_workflows: int
    pending_activities: int
    temporary_files: int

    def figures(self, name: str) -> list[Figure]:
        """Return the figures, all with the target 0."""
        return [
            Figure(f"{name}: orphan processes", "", self.orphans, 0),
            Figure(f"{name}: open workflows", "", self.open_workflows, 0),
            Figure(f"{name}: pending activities", "", self.pending_activities, 0),
            Figure(f"{name}: temporary files", "", self.temporary_files, 0),
        ]


async def measure(each: int, *, warm_up: int, slots: int = SLOTS) -> list[Figure]:
    """Cancel and fail so many of each kind, in every step.

    Args:
        each: How many are cancelled, and how many fail.
        warm_up: How many before the first measurement; without, the growths mean nothing.
        slots: How many steps run at once.
    """
    async with bench_stack(slots=slots) as bench:
        await _batch(bench, warm_up, slots)
        before = Usage.measure(bench)
        handles = await _batch(bench, each, slots)
        left = await count_leftovers(bench, handles)
        after = Usage.measure(bench)
        busy_slots = await _busy_slots(bench, slots)
    name = f"after {each} cancels and {each} failures"
    return [
        *left.figures(name),
        Figure(f"{name}: busy slots", "", busy_slots, 0),
        Figure(
            f"{name}: growth of the worker's memory",
            "%",
            100 * (after.memory_mib / before.memory_mib - 1),
            10,
        ),
        Figure(
            f"{name}: growth of the worker's file descriptors",
            "%",
            100 * (after.descriptors / before.descriptors - 1),
            10,
        ),
        Figure("the worker's memory, with its fork server", "MiB", after.memory_mib),
        Figure("the worker's file descriptors, with its fork server", "", after.descriptors),
    ]


async def count_leftovers(bench: Bench, handles: Sequence[Handle]) -> Leftovers:
    """Count what these researches have left. All of them have ended."""
    # First what must be gone as soon as a research says "cancelled".
    orphans = _orphans(bench)
    files = list(bench.settings.home.rglob("*.part"))
    descriptions = [await handle.describe() for handle in handles]
    return Leftovers(
        orphans=len(orphans),
        temporary_files=len(files),
        pending_activities=sum(
            len(description.raw_description.pending_activities) for description in descriptions
        ),
        open_workflows=await _open_workflows(bench),
    )


async def _batch(bench: Bench, each: int, slots: int) -> list[Handle]:
    """Cancel so many researches, and let so many fail, in every step alternately."""
    limit = asyncio.Semaphore(slots)

    async def cancelled(plan: Plan) -> Handle:
        async with limit:
            research = await bench.stay(plan)
            answer = await bench.cancel(research.handle.id)
            assert answer.is_success, answer.text
            await wait_for_end(research.handle)
            return research.handle

    async def failed(plan: Plan) -> Handle:
        async with limit:
            handle = await start_research(bench.client, plan.request())
            await wait_for_end(handle)
            return handle

    work = [
        each_kind
        for stay, failure in islice(cycle(zip(STAYS, FAILURES, strict=True)), each)
        for each_kind in (cancelled(stay), failed(failure))
    ]
    return await asyncio.gather(*work)


async def _open_workflows(bench: Bench) -> int:
    """Count the open workflows. Temporal's lists may lag behind its answers."""
    for _ in range(_LOOKS):
        if not await bench.count_running():
            break
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    return await bench.count_running()


async def _busy_slots(bench: Bench, slots: int) -> int:
    """Count the slots that new work does not get."""
    # Each of them holds one slot at a time, in whichever step it stays.
    starting = [
        asyncio.create_task(bench.stay(plan)) for plan in islice(cycle(reversed(STAYS)), slots)
    ]
    begun, not_begun = await asyncio.wait(starting, timeout=_STARTED_SECONDS)
    for task in not_begun:
        task.cancel()
    await cancel_all([task.result() for task in begun])
    return len(not_begun)


def _orphans(bench: Bench) -> list[psutil.Process]:
    """Return the processes of this stack that should have ended."""
    known = {bench.stack.get_pid(name) for name in ("temporal", "worker", "api")}
    helpers = bench.worker_and_fork_server()[0].children()
    known.update(process.pid for process in helpers)
    # One waits for the next job. Any more would be too many.
    known.update(process.pid for process in bench.reserve_processes()[:1])
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in known and _belongs(process, bench.settings.home)
    ]


def _belongs(process: psutil.Process, home: Path) -> bool:
    try:
        own = process.environ().get("KTRDR_HOME") == str(home)
        return own and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
