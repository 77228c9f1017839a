"""A workflow that has not changed is not asked again."""

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted
from tests.api.operations.queries import QueryCounter
from tests.support.helpers import PATIENCE, assert_eventually, serving
from tests.support.phases import IN_TRAINING, QUICK, start


@pytest.fixture
def counter() -> QueryCounter:
    return QueryCounter()


@pytest.fixture
def counted(client: Client, counter: QueryCounter) -> Client:
    return counter.watch(client)


async def show(http: httpx2.AsyncClient, operation_id: str) -> dict[str, object]:
    shown: dict[str, object] = accepted(await http.get(f"/operations/{operation_id}"))["data"]
    return shown


async def test_a_running_operation_is_asked_again_when_its_history_has_grown(
    client: Client, counted: Client, counter: QueryCounter, settings: Settings
) -> None:
    # Its own history stands still while a child computes.
    research = await IN_TRAINING.begin(client)
    async with serving(create_app(settings, counted)) as http:
        first = await show(http, research.id)
        await show(http, research.id)
        asked = counter.queries
        for _ in range(5):
            again = await show(http, research.id)
        assert counter.queries == asked
        assert again["phase"] == first["phase"] == "training"
        assert again["children"]

        accepted(await http.delete(f"/operations/{research.id}", params={"wait": 20}))

        async def cancelled() -> bool:
            shown = await show(http, research.id)
            return shown["status"] == "cancelled"

        await assert_eventually(cancelled, within=PATIENCE)
        last = await show(http, research.id)
        [training] = last["children"] if isinstance(last["children"], list) else []
        assert training["status"] == "cancelled"


async def test_a_completed_operation_that_has_left_nothing_is_replayed_once(
    client: Client, counted: Client, counter: QueryCounter, settings: Settings
) -> None:
    # Started without the key under which it would keep what it is.
    research = await start(client, QUICK)
    await research.result()
    async with serving(create_app(settings, counted)) as http:
        first = await show(http, research.id)
        asked = counter.queries
        assert asked > 0
        for _ in range(3):
            assert await show(http, research.id) == first
        assert counter.queries == asked
