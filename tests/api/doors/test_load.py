"""Hostile and heavy requests hold nobody else up."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from api.middleware.body_limit import MAX_PAYLOAD_BYTES
from api.middleware.concurrency import Lane
from errors import Busy
from settings import Settings
from temporal.converter import make_encrypting_converter
from temporal.encryption import EncryptingCodec, rotate_key
from tests.api.answers import accepted, refused, retry_while_busy
from tests.support.helpers import assert_eventually, serving
from tests.support.lag import measuring_lag

_JSON: Final = {"Content-Type": "application/json"}
_LONGEST_HOLD: Final = 0.1


def many_fields(number_of: int) -> bytes:
    """Return a JSON object with so many unknown fields."""
    return json.dumps({f"{number:x}": 1 for number in range(number_of)}).encode()


def fill(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


HEAVY: dict[str, tuple[str, bytes]] = {
    "fields": ("/agent/trigger", many_fields(5_000)),
    "more fields": ("/agent/trigger", many_fields(80_000)),
    "fields of a training": ("/trainings/start", many_fields(5_000)),
    "lists": ("/schedules", b"[" * 60_000),
    "payloads to encrypt": (
        "/codec/encode",
        b'{"payloads":[' + fill(b"{},", MAX_PAYLOAD_BYTES - 20) + b"{}]}",
    ),
    "metadata of a payload": (
        "/codec/encode",
        json.dumps({"payloads": [{"metadata": {f"{n:x}": "" for n in range(60_000)}}]}).encode(),
    ),
    "payloads to decrypt": (
        "/codec/decode",
        b'{"payloads":[' + fill(b'{"data":""},', 24_000) + b"{}]}",
    ),
    "a strategy of many fields": ("/strategies/validate", fill(b"a%d: 1\n", 64_000)),
    "a strategy of many entries": ("/strategies/validate", b"a: [" + fill(b"1,", 64_000) + b"]"),
    "a strategy of one text": ("/strategies/validate", b"a: " + fill(b"x ", 64_000)),
}


@pytest_asyncio.fixture(scope="module")
async def encrypted_api(
    client: Client, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that has keys for payloads."""
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    rotate_key(keys)
    config = client.config()
    config["data_converter"] = make_encrypting_converter(EncryptingCodec(keys))
    async with serving(create_app(settings, Client(**config))) as http:
        yield http


@pytest.mark.parametrize("name", HEAVY)
async def test_no_body_holds_the_event_loop(encrypted_api: httpx2.AsyncClient, name: str) -> None:
    path, body = HEAVY[name]
    # The first request of an application builds its routes.
    await encrypted_api.post(path, content=b"{}", headers=_JSON)
    request = encrypted_api.post(path, content=body, headers=_JSON, timeout=60)
    with measuring_lag() as lag:
        # In a task of its own, as in a server.
        answer = await asyncio.create_task(request)
    assert answer.status_code in {200, 400, 413, 422}, answer.text[:1000]
    assert len(answer.content) < MAX_PAYLOAD_BYTES
    assert lag.longest < _LONGEST_HOLD, lag


@pytest.mark.long
async def test_no_list_of_schedules_holds_the_event_loop(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    bodies = [
        {"schedule_id": f"s{number}", "cron": "30 6 * * 1-5", "time_zone": "Europe/Berlin"}
        for number in range(100)
    ]
    for body in bodies:
        # A busy server may make one and answer too late; the next attempt finds that it exists.
        answer = await retry_while_busy(partial(alone_api.post, "/schedules", json=body))
        assert answer.status_code in {201, 409}, answer.text

    async def listed() -> bool:
        return len([each async for each in await alone.list_schedules()]) == len(bodies)

    await assert_eventually(listed)
    with measuring_lag() as lag:
        answer = await asyncio.create_task(alone_api.get("/schedules"))
    assert accepted(answer)["total_count"] == len(bodies)
    assert lag.longest < _LONGEST_HOLD, lag
    names = set()
    page: dict[str, Any] = {"limit": 60}
    for expected in (60, 40):
        answer = await retry_while_busy(partial(alone_api.get, "/schedules", params=page))
        found = accepted(answer)
        assert (len(found["data"]), found["total_count"]) == (expected, len(bodies))
        names |= {each["schedule_id"] for each in found["data"]}
        page["cursor"] = found["next_cursor"]
    assert page["cursor"] is None
    assert len(names) == len(bodies)
    refused(await alone_api.get("/schedules", params={"cursor": "x"}), 422, "invalid_input")


def is_busy(answer: httpx2.Response) -> bool:
    if answer.json()["reason"] != "busy":
        return False
    refused(answer, 503, "busy")
    return int(answer.headers["retry-after"]) > 0


@pytest.mark.long
async def test_a_burst_is_worked_off_or_refused_before_anything_starts(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    starts = (
        alone_api.post("/agent/trigger", json={"strategy": "quick"}, timeout=60) for _ in range(200)
    )
    reads = (alone_api.get("/operations", params={"limit": 1}, timeout=60) for _ in range(2000))
    answers = await asyncio.gather(*starts, *reads)
    refusals = [answer for answer in answers if not answer.is_success]
    # A queue of reads is full at once. On a busy machine, Temporal may fail to answer the others.
    assert {answer.status_code for answer in refusals} == {503}
    assert sum(is_busy(answer) for answer in refusals) > 1000
    begun = [answer for answer in answers[:200] if answer.is_success]

    async def listed() -> bool:
        return (await alone.count_workflows("WorkflowType = 'Research'")).count == len(begun)

    await assert_eventually(listed)


async def test_a_caller_takes_half_of_the_places_and_leaves_them_when_done() -> None:
    lane = Lane(at_once=4, most_waiting=4, longest_wait=30.0)
    working: list[str] = []
    done = asyncio.Event()

    async def work(caller: str) -> None:
        async with lane.enter(caller):
            working.append(caller)
            await done.wait()

    async def all_work() -> bool:
        return working == ["greedy", "greedy", "modest", "modest"]

    greedy = [asyncio.create_task(work("greedy")) for _ in range(4)]
    modest = [asyncio.create_task(work("modest")) for _ in range(2)]
    await assert_eventually(all_work)
    with pytest.raises(Busy):
        await work("greedy")
    done.set()
    await asyncio.gather(*greedy, *modest)
    assert working.count("greedy") == 4
    await work("greedy")


async def test_who_waits_too_long_is_refused() -> None:
    lane = Lane(at_once=2, longest_wait=0.01)
    async with lane.enter("one"):
        with pytest.raises(Busy):
            async with lane.enter("one"):
                raise AssertionError("it has a place")
        async with lane.enter("another"):
            pass
