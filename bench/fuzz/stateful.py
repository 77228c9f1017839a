"""Several owners do everything at random for some minutes; then all must agree with Temporal."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx2
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from bench.fuzz.owner import RandomOwner, World

_AT_ONCE_PER_OWNER: Final = 2
_SECONDS_TO_END: Final = 300.0
_SECONDS_BETWEEN_LOOKS: Final = 0.5
_STATUSES: Final = ("pending", "running", "completed", "failed", "cancelled")
_OURS: Final = "WorkflowType IN ('Research', 'Training', 'Backtest')"
_CANCELLED: Final = (WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.TERMINATED)


@dataclass(frozen=True)
class Outcome:
    """What the fuzz has found."""

    world: World
    seconds: float
    operations: int
    resumed: int
    """Operations with several runs."""
    lost: list[str]
    """Runs that did not end as cancelled although they were told to."""
    several_rows: int
    miscounted: list[str]


async def fuzz(
    api: str, client: Client, keys: dict[str, str], admin: str, *, seconds: float, seed: int
) -> Outcome:
    """Let each owner act for so many seconds, then cancel everything and compare.

    Args:
        api: Address of the API.
        client: Of the namespace behind it.
        keys: The key of each owner.
        admin: A key that sees everything.
        seconds: How long they act.
        seed: Of all choices.
    """
    world = World(owned={name: [] for name in keys})
    began = time.monotonic()

    async def act(name: str, number: int) -> None:
        async with _open(api, keys[name]) as http:
            owner = RandomOwner(name, http, world, seed * 1000 + number)
            while time.monotonic() - began < seconds:
                await owner.act()

    many = [name for name in keys for _ in range(_AT_ONCE_PER_OWNER)]
    await asyncio.gather(*(act(name, number) for number, name in enumerate(many)))
    acted = time.monotonic() - began
    async with _open(api, admin) as http:
        await _end_all(http, list(keys))
        return await _compare(http, client, world, acted)


def _open(api: str, key: str) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(base_url=f"{api}/api/v1", headers=headers, timeout=40.0)


async def _end_all(http: httpx2.AsyncClient, owners: list[str]) -> None:
    """Cancel what still runs, and wait until it has ended."""
    for owner in owners:
        await _send(http, "DELETE", owner=owner)
    async with asyncio.timeout(_SECONDS_TO_END):
        while True:
            if not (await _read(http, limit=1))["active_count"]:
                return
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def _compare(
    http: httpx2.AsyncClient, client: Client, world: World, seconds: float
) -> Outcome:
    runs: defaultdict[str, list[WorkflowExecution]] = defaultdict(list)
    async for run in client.list_workflows(_OURS):
        runs[run.id].append(run)
    rows = [row["operation_id"] for row in await _read_all(http)]
    miscounted = [] if set(rows) == set(runs) else ["the list has not the operations of Temporal"]
    total = (await _read(http, limit=1))["total_count"]
    by_status = {each: await _read(http, limit=1, status=each) for each in _STATUSES}
    by_owner = {each: await _read(http, limit=1, owner=each) for each in world.owned}
    for name, pages in (("statuses", by_status), ("owners", by_owner)):
        summed = sum(page["total_count"] for page in pages.values())
        if not summed == total == len(rows):
            miscounted.append(f"{len(rows)} rows, {total} counted, {summed} by {name}")
    lost = await _find_lost(client, runs)
    lost += [
        f"{each}: no run has ended as cancelled"
        for each in world.cancelled
        if not any(run.status in _CANCELLED for run in runs[each])
    ]
    return Outcome(
        world=world,
        seconds=seconds,
        operations=len(runs),
        resumed=sum(len(same) > 1 for same in runs.values()),
        lost=lost,
        several_rows=len(rows) - len(set(rows)),
        miscounted=miscounted,
    )


async def _find_lost(client: Client, runs: dict[str, list[WorkflowExecution]]) -> list[str]:
    """Return the runs that were told to cancel and ended otherwise."""
    lost = []
    for run in (each for same in runs.values() for each in same):
        if run.status in _CANCELLED:
            continue
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
        if any(event.event_type == asked for event in history.events):
            lost.append(f"{run.id} {run.run_id}: {run.status.name if run.status else None}")
    return lost


async def _read(http: httpx2.AsyncClient, **filters: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await _send(http, "GET", **filters)).json()
    return page


async def _send(http: httpx2.AsyncClient, method: str, **filters: Any) -> httpx2.Response:
    """Send a request about all operations, again while something does not answer in time."""
    async with asyncio.timeout(_SECONDS_TO_END):
        while True:
            answer = await http.request(method, "/operations", params=filters)
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                answer.raise_for_status()
                return answer
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def _read_all(http: httpx2.AsyncClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await _read(http, limit=50, **cursor)
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}
