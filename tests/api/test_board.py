"""`GET /operations/events`: everything that runs, looked at once a second for all."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from api.listing.board import SECONDS_BETWEEN_LOOKS
from api.listing.operations import OperationList
from api.operations.schemas import OperationSummary
from settings import Settings
from tests.api.answers import accepted, refused
from tests.support.outside.temporal_server import end_everything
from tests.support.served import served


@pytest_asyncio.fixture
async def streaming(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The API in front of a namespace that no worker serves."""
    async with served(create_app(settings, alone)) as http:
        yield http
    await end_everything(alone)


async def start(http: httpx2.AsyncClient, **request: object) -> str:
    return str(accepted(await http.post("/agent/trigger", json=request), 202)["operation_id"])


@contextlib.asynccontextmanager
async def follow(
    http: httpx2.AsyncClient, **chosen: str
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    async def read(stream: Any) -> AsyncIterator[dict[str, Any]]:
        async for event in stream:
            assert event.event == "operations"
            yield json.loads(event.data)

    async with http.sse("/operations/events", params=chosen) as stream:
        assert stream.response.status_code == 200
        yield read(stream)


async def test_places_in_line_follow_priority_and_time(streaming: httpx2.AsyncClient) -> None:
    first = await start(streaming, seed=1, owner="ada")
    second = await start(streaming, seed=2, owner="ada")
    urgent = await start(streaming, seed=3, owner="bob", priority=1)
    async with follow(streaming) as events:
        event = await anext(events)
        assert event["complete"]
        assert event["head"]["waiting"] == event["head"]["active"] == 3
        places = {row["operation_id"]: row["place_in_line"] for row in event["rows"]}
        assert places == {urgent: 1, first: 2, second: 3}
        accepted(await streaming.delete(f"/operations/{first}", params={"wait": 0}))
        changed = await anext(events)
        assert not changed["complete"]
        assert [row["operation_id"] for row in changed["rows"]] == [first]
        assert changed["rows"][0]["cancel_requested"]
        assert changed["head"]["stopping"] == 1


async def test_a_filter_chooses_and_shows_what_has_ended_once_more(
    streaming: httpx2.AsyncClient,
) -> None:
    mine = await start(streaming, seed=1, owner="ada")
    await start(streaming, seed=2, owner="bob")
    async with follow(streaming, owner="ada", status="pending") as events:
        assert [row["operation_id"] for row in (await anext(events))["rows"]] == [mine]
        accepted(await streaming.request("DELETE", f"/operations/{mine}", json={"force": True}))
        async for event in events:
            for row in event["rows"]:
                assert row["operation_id"] == mine
                if row["status"] == "cancelled":
                    assert row["forced"]
                    return


async def test_ten_followers_cost_one_look_a_second(
    streaming: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    find_active = OperationList.find_active

    async def count(self: OperationList, number: int) -> list[OperationSummary]:
        looks.append(asyncio.get_running_loop().time())
        return await find_active(self, number)

    monkeypatch.setattr(OperationList, "find_active", count)
    await start(streaming, seed=1)
    async with contextlib.AsyncExitStack() as followers:
        events = [await followers.enter_async_context(follow(streaming)) for _ in range(10)]
        for each in events:
            assert (await anext(each))["complete"]
        for seed in range(2, 5):
            await start(streaming, seed=seed)
            seen = [await anext(each) for each in events]
            assert all(event["head"]["active"] == seed for event in seen)
    gaps = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert min(gaps) > 0.9 * SECONDS_BETWEEN_LOOKS
    stopped = len(looks)
    # Without a follower nobody looks.
    await start(streaming, seed=9)
    assert len(looks) <= stopped + 1


async def test_what_no_operation_can_be_is_refused(streaming: httpx2.AsyncClient) -> None:
    answer = await streaming.get("/operations/events", params={"owner": "not/an/owner"})
    refused(answer, 422, "invalid_input", "owner")
