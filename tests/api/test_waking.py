"""`POST /watches/look`: all watches of some bars are told to look, as far as there is time."""

import asyncio
from typing import Any

import httpx2
import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from api.watches.schemas import NewBars
from api.watches.watches import Watches
from quant.messages.watch import WatchedStrategy, WatchState
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, refused
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.quant.watches import SPEC
from workflows.interface import search_attributes
from workflows.interface.watches import WATCH, WATCH_WORKFLOW, make_watch_id
from workflows.policies import RESEARCH_QUEUE


async def begin_watch(client: Client, research_id: str, owner: str = "ada") -> None:
    """Begin a watch of `AWOKEN` that no worker serves."""
    strategy = WatchedStrategy(
        research_id=research_id,
        training_id=f"{research_id}.training",
        backtest_id=None,
        symbol="AWOKEN",
        timeframe="1d",
        spec=SPEC,
        seed=1,
        model_sha256="0" * 64,
    )
    state = WatchState(strategy=strategy)
    pairs = search_attributes.make_pairs(operation_type="watch", symbol="AWOKEN", owner=owner)
    await client.start_workflow(
        WATCH_WORKFLOW,
        state,
        id=make_watch_id(research_id),
        task_queue=RESEARCH_QUEUE,
        search_attributes=TypedSearchAttributes(pairs),
        memo={WATCH: state},
    )


async def wake_all(api: httpx2.AsyncClient) -> tuple[set[str], int]:
    """Return which watches of `AWOKEN` look, and how many should."""
    body = {"symbol": "AWOKEN", "timeframe": "1d"}
    answer = accepted(await api.post("/watches/look", json=body), 202)
    return {row["research_id"] for row in answer["data"]}, answer["total_count"]


async def test_one_that_cannot_be_told_keeps_no_other_from_looking(
    alone: Client, alone_api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third", "fourth"):
        await begin_watch(alone, name)

    async def all_listed() -> bool:
        return await wake_all(alone_api) == ({"first", "second", "third", "fourth"}, 4)

    assert await assert_eventually(all_listed, within=PATIENCE)
    real = WorkflowHandle.signal

    async def signal(self: WorkflowHandle[Any, Any], *args: Any, **more: Any) -> None:
        if self.id == make_watch_id("second"):
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        if self.id == make_watch_id("third"):
            await asyncio.Event().wait()
        await real(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(WorkflowHandle, "signal", signal)
        patch.setattr("api.watches.watches._TELLING_SECONDS", 1.0)
        assert await wake_all(alone_api) == ({"first", "fourth"}, 4)
    with monkeypatch.context() as patch:
        patch.setattr("api.watches.watches._TELLING_SECONDS", 0.0)
        body = {"symbol": "AWOKEN", "timeframe": "1d"}
        refused(await alone_api.post("/watches/look", json=body), 503, "temporal_unavailable")


async def test_watches_beyond_the_limit_are_counted_and_none_of_others_is(
    alone: Client,
    alone_api: httpx2.AsyncClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await begin_watch(alone, "mine", "bob")
    for name in ("first", "second", "third"):
        await begin_watch(alone, name)

    async def all_listed() -> bool:
        return (await wake_all(alone_api))[1] == 4

    assert await assert_eventually(all_listed, within=PATIENCE)
    monkeypatch.setattr("api.watches.watches._MOST_LISTED", 2)
    looking, should = await wake_all(alone_api)
    assert (len(looking), should) == (2, 4)
    # Of these, it is the oldest.
    watches = Watches(alone, Ledger(settings.ledger_url), ArtifactStore(settings.artifacts_url))
    bars = NewBars(symbol="AWOKEN", timeframe="1d")
    own = await watches.look_at(bars, "bob")
    assert ([each.research_id for each in own.data], own.total_count) == (["mine"], 1)
