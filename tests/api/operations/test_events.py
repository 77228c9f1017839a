"""`GET /operations/{id}/events`: a stream up to the end, through every interruption."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from httpx2 import ServerSentEvent
from temporalio.client import Client

from api.app import create_app
from api.operations.events import POLL_SECONDS, Feeds
from api.operations.resolver import Resolver
from settings import Settings
from tests.api.answers import refused
from tests.support.helpers import PATIENCE, assert_eventually, free_port
from tests.support.outside.temporal_server import connect, dev_server
from tests.support.phases import IN_DESIGN, IN_TRAINING, start
from tests.support.served import served
from worker import run_workers
from workflows.interface.contract import OperationInfo
from workflows.interface.messages import ResearchRequest


class CountingResolver(Resolver):
    """Counts how often an operation is polled."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.polls = 0

    async def find_operation(self, operation_id: str) -> OperationInfo:
        self.polls += 1
        return await super().find_operation(operation_id)


@pytest_asyncio.fixture(scope="module")
async def streaming(client: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(create_app(settings, client)) as http:
        yield http


@contextlib.asynccontextmanager
async def follow(
    http: httpx2.AsyncClient, operation_id: str, last_event_id: str | None = None
) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    path = f"/operations/{operation_id}/events"
    async with http.sse(path, headers=headers) as stream:
        assert stream.response.status_code == 200
        yield aiter(stream)


async def follow_to_the_end(http: httpx2.AsyncClient, operation_id: str) -> list[ServerSentEvent]:
    async with follow(http, operation_id) as events:
        return [event async for event in events]


async def test_the_states_follow_one_another_up_to_the_end(
    streaming: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, ResearchRequest(strategy="steady", seed=7, bypass_gates=True))
    events = await follow_to_the_end(streaming, handle.id)
    assert [event.event for event in events[:-1]] == ["progress"] * (len(events) - 1)
    assert events[-1].event == "end"
    states: list[dict[str, Any]] = [json.loads(event.data) for event in events]
    assert states[-1]["status"] == "completed"
    assert states[-1]["result_summary"]["verdict"]
    percentages = [state["progress"]["percentage"] for state in states]
    assert percentages == sorted(percentages)
    nested = [child["progress"] for state in states for child in state["children"]]
    assert any(progress and 0 < progress["percentage"] < 100 for progress in nested)
    assert len({event.id for event in events}) == len(events)


async def test_an_ended_operation_sends_its_end_at_once(
    streaming: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, ResearchRequest(strategy="quick", seed=7))
    await handle.result()
    [event] = await follow_to_the_end(streaming, handle.id)
    assert event.event == "end"
    async with follow(streaming, handle.id, event.id) as events:
        assert [again.event async for again in events] == ["end"]


async def test_a_cancel_ends_the_stream(streaming: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_DESIGN.begin(client)
    async with follow(streaming, handle.id) as events:
        assert (await anext(events)).event == "progress"
        await handle.cancel()
        last = [event async for event in events][-1]
    assert (last.event, json.loads(last.data)["status"]) == ("end", "cancelled")


async def test_the_end_is_told_at_once(
    alone: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.operations.events.POLL_SECONDS", 24 * 3600.0)
    handle = await start(alone, ResearchRequest(strategy="quick", seed=7))
    async with (
        served(create_app(settings, alone)) as http,
        follow(http, handle.id) as events,
    ):
        assert json.loads((await anext(events)).data)["status"] == "pending"
        async with asyncio.timeout(PATIENCE), run_workers(alone, settings):
            [end] = [event async for event in events]
    assert (end.event, json.loads(end.data)["status"]) == ("end", "completed")


async def test_a_client_that_reconnects_gets_only_new_states(
    streaming: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    del streaming
    handle = await start(alone, ResearchRequest(strategy="quick", seed=7))
    async with served(create_app(settings, alone)) as http:
        async with follow(http, handle.id) as events:
            first = await anext(events)
        async with (
            follow(http, handle.id, first.id) as events,
            run_workers(alone, settings),
        ):
            heard = [event async for event in events]
    assert first.id not in {event.id for event in heard}
    assert json.loads(heard[-1].data)["status"] == "completed"


@pytest.mark.parametrize("odd", ["nosuch", "x" * 10_000, "op%2F..%2Fother", "%E6%97%A5", "%00"])
async def test_an_unknown_id_is_not_found(streaming: httpx2.AsyncClient, odd: str) -> None:
    refused(await streaming.get(f"/operations/{odd}/events"), 404, "not_found")


async def nothing_polls() -> bool:
    """Whether no feed polls any more."""
    return not [task for task in asyncio.all_tasks() if "Feed._poll" in repr(task)]


async def test_many_followers_cost_one_poll_a_second(client: Client) -> None:
    handle = await IN_TRAINING.begin(client)
    resolver = CountingResolver(client)
    feeds = Feeds(resolver)

    async def listen(count: int) -> None:
        async with feeds.follow(handle.id) as feed:
            await feed.wait_for_first()
            seen = 0
            async for _ in feed.watch(lambda: True):
                seen += 1
                if seen == count:
                    return

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(listen(4) for _ in range(50)))
    seconds = loop.time() - began
    assert resolver.polls <= 2 + seconds / POLL_SECONDS
    polls = resolver.polls
    await assert_eventually(nothing_polls)
    async with feeds.follow(handle.id) as feed:
        await feed.wait_for_first()
    assert resolver.polls == polls + 1
    await handle.cancel()


async def test_the_polling_ends_when_the_clients_vanish(
    streaming: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)
    async with follow(streaming, handle.id) as events:
        await anext(events)
        assert not await nothing_polls()
    await assert_eventually(nothing_polls)
    await handle.cancel()


async def test_followers_stay_while_temporal_is_away(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    with contextlib.ExitStack() as first:
        client = await connect(first.enter_context(dev_server(tmp_path, port)))
        handle = await start(client, ResearchRequest(strategy="quick", seed=7))
        async with (
            served(create_app(settings, client)) as http,
            follow(http, handle.id) as events,
        ):
            assert json.loads((await anext(events)).data)["status"] == "pending"
            first.close()
            refused(await http.get(f"/operations/{handle.id}"), 503, "temporal_unavailable")
            with dev_server(tmp_path, port) as address:
                await connect(address)
                async with run_workers(client, settings):
                    last = [event async for event in events][-1]
    assert (last.event, json.loads(last.data)["status"]) == ("end", "completed")
