"""A watch on the real server: it sleeps, looks, decides, is cancelled, and lasts."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import ApplicationError, CancelledError

from quant.messages.artifacts import Artifact
from quant.messages.strategy import Costs
from quant.messages.watch import ENOUGH, WatchState
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.support.helpers import PATIENCE, all_killed, assert_eventually, new_id
from tests.support.notices import taking_notices
from tests.support.outside.temporal_server import activity_started
from tests.support.quant.watches import ALL, BEFORE, TABLE, WatchedResearch
from tests.support.short_watch import ShortWatch
from tests.support.watching import Handle, has_looked, make_symbol, start
from worker import run_workers
from workflows.interface.watches import WATCH
from workflows.policies import get_time_between_looks
from workflows.watch import Watch


@pytest.fixture
def watched(data_dir: Path, settings: Settings) -> WatchedResearch:
    store = ArtifactStore(settings.artifacts_url)
    return WatchedResearch(data_dir, store, make_symbol(), new_id("op_agent_research"))


@pytest_asyncio.fixture
async def running(client: Client, watched: WatchedResearch) -> AsyncIterator[Handle]:
    handle = await start(client, watched)
    await has_looked(handle, 0)
    yield handle


async def test_a_watch_scores_what_comes_and_shows_it_without_a_worker(
    running: Handle, watched: WatchedResearch
) -> None:
    watched.write_bars(TABLE[: BEFORE + 31])

    await running.signal(Watch.look_now)

    state = await has_looked(running, 30)
    assert state.summary.evidence == watched.record.points[-1].evidence
    assert state.summary.standing == "watching"
    description = await running.describe()
    assert await description.memo_value(WATCH, type_hint=WatchState) == state


async def test_a_cancel_while_it_sleeps_ends_it_as_cancelled(running: Handle) -> None:
    await running.cancel()

    with pytest.raises(WorkflowFailureError) as raised:
        await running.result()
    assert isinstance(raised.value.cause, CancelledError)


async def test_a_cancel_while_it_looks_stops_the_computation(
    client: Client, watched: WatchedResearch, data_dir: Path
) -> None:
    path = data_dir / f"{watched.symbol}.csv"
    path.unlink()
    # Whoever opens it waits for somebody who writes.
    os.mkfifo(path)
    handle = await start(client, watched)
    await activity_started(handle, "look")

    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    await all_killed()
    path.unlink()


async def test_it_sleeps_for_a_quarter_of_a_bar(running: Handle) -> None:
    history = await running.fetch_history()

    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in history.events
        if event.HasField("timer_started_event_attributes")
    ]
    assert timers == [timedelta(hours=6)]


def test_short_bars_are_awaited_for_minutes_and_long_ones_for_hours() -> None:
    sleeps = {name: get_time_between_looks(name) for name in ("1m", "15m", "1h", "4h", "1d", "1w")}
    assert sleeps == {
        "1m": timedelta(minutes=5),
        "15m": timedelta(minutes=5),
        "1h": timedelta(minutes=15),
        "4h": timedelta(hours=1),
        "1d": timedelta(hours=6),
        "1w": timedelta(hours=6),
    }


async def test_bars_that_cannot_be_trusted_are_shown_and_looked_at_again(
    running: Handle, watched: WatchedResearch
) -> None:
    watched.write_bars(TABLE[:BEFORE].assign(high=0.0))
    await running.signal(Watch.look_now)

    async def look() -> str | None:
        return (await running.query(Watch.describe)).problem

    assert watched.symbol in (await assert_eventually(look, within=PATIENCE) or "")
    watched.write_bars(TABLE[: BEFORE + 11])
    await running.signal(Watch.look_now)

    async def recovered() -> bool:
        state = await running.query(Watch.describe)
        return state.problem is None and state.summary.bars == 10

    assert await assert_eventually(recovered, within=PATIENCE)


async def test_a_watch_without_its_model_fails(client: Client, watched: WatchedResearch) -> None:
    for name in (Artifact.MODEL, Artifact.WALK_FORWARD):
        await watched.store.open(watched.strategy.training_id).delete(name)

    handle = await start(client, watched)

    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "missing_artifact"


async def test_a_withdrawn_strategy_is_watched_no_longer(
    client: Client, watched: WatchedResearch
) -> None:
    # Every trade costs more than it can earn.
    spec = watched.strategy.spec.model_copy(update={"costs": Costs(commission=0.05)})
    watched.strategy = watched.strategy.model_copy(update={"spec": spec})
    handle = await start(client, watched)
    await has_looked(handle, 0)
    watched.write_bars(TABLE[:ALL])

    await handle.signal(Watch.look_now)

    state = await asyncio.wait_for(handle.result(), PATIENCE)
    assert state.summary.standing == "withdrawn"
    assert state.summary.counter_evidence >= 20.0
    assert state.summary.withdrawn_at == watched.record.points[-1].time


async def test_a_restarted_watch_goes_on_where_it_was(
    client: Client, running: Handle, watched: WatchedResearch
) -> None:
    watched.write_bars(TABLE[: BEFORE + 11])
    await running.signal(Watch.look_now)
    await has_looked(running, 10)
    await running.cancel()
    with pytest.raises(WorkflowFailureError):
        await running.result()
    before = watched.record.points
    watched.write_bars(TABLE[: BEFORE + 21])

    again = await start(client, watched)

    await has_looked(again, 20)
    assert watched.record.points[:10] == before
    assert (await again.describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.long
async def test_a_long_history_is_cut_and_nothing_is_lost(
    alone: Client,
    watched: WatchedResearch,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("temporal.registrations.Watch", ShortWatch)
    async with run_workers(alone, settings):
        handle = await start(alone, watched)
        first = handle.result_run_id
        await has_looked(handle, 0)
        watched.write_bars(TABLE[: BEFORE + 11])
        await handle.signal(Watch.look_now)
        state = await has_looked(handle, 10)
        described = await alone.get_workflow_handle(handle.id).describe()
        assert described.run_id != first
        assert await described.memo_value(WATCH, type_hint=WatchState) == state
        assert state.summary.evidence == watched.record.points[-1].evidence
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await alone.get_workflow_handle(handle.id).result()
        assert isinstance(raised.value.cause, CancelledError)


@pytest.mark.long
async def test_people_are_told_what_was_decided(
    alone: Client, watched: WatchedResearch, settings: Settings
) -> None:
    spec = watched.strategy.spec.model_copy(update={"costs": Costs(commission=0.05)})
    watched.strategy = watched.strategy.model_copy(update={"spec": spec})
    with taking_notices() as (address, told):
        notified = settings.model_copy(update={"notify_url": f"json://{address}/told"})
        async with run_workers(alone, notified):
            handle = await start(alone, watched)
            await has_looked(handle, 0)
            watched.write_bars(TABLE[:ALL])
            await handle.signal(Watch.look_now)
            await asyncio.wait_for(handle.result(), PATIENCE)
            # The notice outlives what it tells of.
            await assert_eventually(lambda: _has_come(told), within=PATIENCE)
    [notice] = told
    assert notice["title"] == f"watched on {watched.symbol} 1d: withdrawn"
    assert watched.research_id in notice["message"]


@pytest.mark.long
async def test_who_does_not_take_a_notice_delays_no_look(
    alone: Client, watched: WatchedResearch, settings: Settings
) -> None:
    with taking_notices(refusals=1_000) as (address, told):
        notified = settings.model_copy(update={"notify_url": f"json://{address}/told"})
        async with run_workers(alone, notified):
            handle = await start(alone, watched)
            await has_looked(handle, 0)
            watched.store_evidence(10.0 * ENOUGH)
            watched.write_bars(TABLE[: BEFORE + 11])
            await handle.signal(Watch.look_now)
            confirmed = await has_looked(handle, 10)
            assert confirmed.summary.standing == "confirmed"

            watched.write_bars(TABLE[: BEFORE + 21])
            await handle.signal(Watch.look_now)
            await has_looked(handle, 20)
            await handle.cancel()
            with pytest.raises(WorkflowFailureError):
                await handle.result()
            name = f"notice_{handle.id}_{handle.result_run_id}_confirmed"
            notification = alone.get_workflow_handle(name)
            # It is still being told.
            assert (await notification.describe()).status is WorkflowExecutionStatus.RUNNING
            await notification.terminate()
    assert not told


async def _has_come(told: list[dict[str, Any]]) -> bool:
    return len(told) == 1
