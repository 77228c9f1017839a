"""What one research costs an operator, and how many researches a machine does in an hour."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Final

import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.figures import Figure, publish
from bench.temporary import start_research, temporary_stack
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest

RESEARCHES: Final = 60
# What Temporal Cloud counts as actions, without heartbeats and queries.
ACTIONS: Final[dict[int, int]] = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: 1,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: 2,
    EventType.EVENT_TYPE_TIMER_STARTED: 1,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 1,
}


async def main() -> None:
    """Measure and publish."""
    request = ResearchRequest(memory=False, bypass_gates=True)
    async with temporary_stack() as (settings, client):
        await (await start_research(client, request)).result()
        processor, stored = _processor_seconds(), _bytes(settings.home)
        began = time.perf_counter()
        handles = [await start_research(client, request) for _ in range(RESEARCHES)]
        await asyncio.gather(*(handle.result() for handle in handles))
        seconds = time.perf_counter() - began
        processor = _processor_seconds() - processor
        stored = _bytes(settings.home) - stored
        events = await _events(client, handles[0].id)
    actions = 1 + sum(ACTIONS.get(kind, 0) * count for kind, count in events.items())
    per_hour = 3600.0 * RESEARCHES / seconds
    publish(
        "sizing",
        [
            Figure("default research: events, with its children", "", events.total()),
            Figure("default research: actions, without heartbeats", "", actions),
            Figure("default research: artifacts", "KiB", stored / RESEARCHES / 1024),
            Figure("default research: processor", "s", processor / RESEARCHES),
            Figure(f"{RESEARCHES} at once: per hour on this machine", "", round(per_hour)),
        ],
    )


def _processor_seconds() -> float:
    """Return the processor time of the whole stack, ended compute processes included."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _bytes(home: Path) -> int:
    return sum(path.stat().st_size for path in (home / "artifacts").rglob("*") if path.is_file())


async def _events(client: Client, research_id: str) -> Counter[int]:
    events: Counter[int] = Counter()
    steps = [
        make_step_id(research_id, step) for step in (OperationType.TRAINING, OperationType.BACKTEST)
    ]
    for workflow_id in (research_id, *steps):
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        events.update(event.event_type for event in history.events)
    return events


if __name__ == "__main__":
    asyncio.run(main())
