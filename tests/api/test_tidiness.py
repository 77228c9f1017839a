"""What a test starts is noticed, so that it ends before the next test. Nothing else is."""

import httpx2
from temporalio.client import Client

from tests.api.answers import accepted
from tests.support.helpers import new_id
from tests.support.outside.starts import Starts
from tests.support.phases import IN_DESIGN, start


async def test_what_is_only_read_starts_nothing(api: httpx2.AsyncClient, starts: Starts) -> None:
    for path in ("/operations", "/experiments", "/schedules", "/agent/status"):
        accepted(await api.get(path))
    assert not starts.heard


async def test_a_research_that_the_api_starts_is_noticed(
    api: httpx2.AsyncClient, starts: Starts
) -> None:
    accepted(await api.post("/agent/trigger", json={"trials": 5000}), 202)
    assert starts.heard


async def test_a_research_that_a_test_starts_is_noticed(client: Client, starts: Starts) -> None:
    await start(client, IN_DESIGN.request)
    assert starts.heard


async def test_a_schedule_is_noticed(api: httpx2.AsyncClient, starts: Starts) -> None:
    schedule_id = new_id("schedule")
    body = {"schedule_id": schedule_id, "cron": "0 6 * * *", "research": {}}
    accepted(await api.post("/schedules", json=body), 201)
    assert starts.heard
    assert (await api.delete(f"/schedules/{schedule_id}")).is_success
