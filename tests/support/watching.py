"""Watches on a server: begun, and awaited until they have looked."""

from typing import Any

from temporalio.client import Client, WorkflowHandle

from quant.messages.watch import WatchState
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.quant.watches import WatchedResearch
from workflows.interface.watches import make_watch_id
from workflows.policies import RESEARCH_QUEUE
from workflows.watch import Watch

Handle = WorkflowHandle[Any, WatchState]


def make_symbol() -> str:
    """Return a symbol that nobody else has."""
    return new_id("W").replace("-", "")[:20].upper()


async def start(client: Client, watched: WatchedResearch) -> Handle:
    """Begin a watch."""
    return await client.start_workflow(
        Watch.run,
        WatchState(strategy=watched.strategy),
        id=make_watch_id(watched.research_id),
        task_queue=RESEARCH_QUEUE,
    )


async def has_looked(handle: Handle, bars: int) -> WatchState:
    """Wait until so many bars are scored."""

    async def look() -> WatchState:
        state = await handle.query(Watch.describe)
        assert state.problem is None, state.problem
        assert state.looked_at is not None, "it has not looked yet"
        assert state.summary.bars == bars
        return state

    return await assert_eventually(look, within=PATIENCE)
