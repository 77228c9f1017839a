"""`/schedules`: recurring researches."""

import time
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, refused
from tests.support.helpers import assert_eventually, new_id
from worker import run_workers

QUICK = {"strategy": "quick", "seed": 7}
NIGHTLY = {"cron": "30 6 * * 1-5", "time_zone": "Europe/Berlin"}


def make_body(**values: Any) -> dict[str, Any]:
    return {"schedule_id": new_id("s").replace("_", "-"), "research": QUICK} | values


async def create(api: httpx2.AsyncClient, request: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post("/schedules", json=request)
    data: dict[str, Any] = accepted(answer, 201)["data"]
    assert answer.headers["location"] == f"/api/v1/schedules/{request['schedule_id']}"
    return data


async def wait_for_next_second() -> None:
    now = int(time.time())

    async def passed() -> bool:
        return int(time.time()) > now

    await assert_eventually(passed)


async def wait_for_run(api: httpx2.AsyncClient, schedule_id: str) -> str:
    async def look() -> str:
        runs = accepted(await api.get(f"/schedules/{schedule_id}"))["data"]["recent_runs"]
        return runs[0]["operation_id"] if runs else ""

    return await assert_eventually(look)


async def test_a_schedule_is_created_shown_listed_and_deleted(
    alone_api: httpx2.AsyncClient,
) -> None:
    request = make_body(**NIGHTLY, note="before the market opens", overlap="cancel_other")
    shown = await create(alone_api, request)
    for name, value in request.items():
        assert shown[name] == value or name == "research"
    assert shown["research"]["strategy"] == "quick"
    # Half past six in Berlin is never half past six in UTC.
    assert all(moment[11:16] in {"05:30", "04:30"} for moment in shown["next_runs"])
    path = f"/schedules/{request['schedule_id']}"
    assert accepted(await alone_api.get(path))["data"] == shown

    async def listed() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = accepted(await alone_api.get("/schedules"))["data"]
        return rows

    [row] = await assert_eventually(listed)
    assert {name: shown[name] for name in row} == row
    answer = await alone_api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    refused(await alone_api.get(path), 404, "not_found")


async def test_a_schedule_starts_a_research_like_any_other(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    request = make_body(**NIGHTLY, paused=True, research=QUICK | {"owner": owner, "priority": 2})
    await create(api, request)
    path = f"/schedules/{request['schedule_id']}"
    accepted(await api.post(f"{path}/trigger"), 202)
    operation_id = await wait_for_run(api, request["schedule_id"])
    assert operation_id.startswith(f"op_agent_research_{request['schedule_id']}-")
    await client.get_workflow_handle(operation_id).result()
    shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    assert (shown["status"], shown["owner"], shown["priority"]) == ("completed", owner, 2)

    async def listed() -> list[str]:
        rows = accepted(await api.get("/operations", params={"owner": owner}))["data"]
        return [row["operation_id"] for row in rows if row["operation_type"] == "agent_research"]

    assert await assert_eventually(listed) == [operation_id]
    children = accepted(await api.get(f"/operations/{operation_id}/children"))["data"]
    assert [child["status"] for child in children] == ["completed"] * len(children)
    report = await api.get(f"/operations/{operation_id}/report")
    assert report.status_code == 200
    accepted(await api.get(f"/operations/{operation_id}.training/metrics"))
    await api.delete(path)


async def test_an_interval_fires_until_it_is_paused(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    request = make_body(interval_seconds=1)
    await create(alone_api, request)
    path = f"/schedules/{request['schedule_id']}"
    async with run_workers(alone, settings):
        operation_id = await wait_for_run(alone_api, request["schedule_id"])
        await alone.get_workflow_handle(operation_id).result()
        paused = accepted(await alone_api.post(f"{path}/pause"))["data"]
        assert paused["paused"] is True
        unpaused = accepted(await alone_api.post(f"{path}/unpause"))["data"]
        assert unpaused["paused"] is False
        assert (await alone_api.delete(path)).status_code == 204

        async def idle() -> bool:
            running = "WorkflowType = 'Research' AND ExecutionStatus = 'Running'"
            return (await alone.count_workflows(running)).count == 0

        await assert_eventually(idle)


async def test_with_skip_one_runs_at_a_time(alone_api: httpx2.AsyncClient) -> None:
    """Without a worker, a started research stays active."""
    request = make_body(**NIGHTLY, paused=True)
    await create(alone_api, request)
    path = f"/schedules/{request['schedule_id']}"
    accepted(await alone_api.post(f"{path}/trigger"), 202)
    first = await wait_for_run(alone_api, request["schedule_id"])
    accepted(await alone_api.post(f"{path}/trigger"), 202)

    async def skipped() -> dict[str, Any] | None:
        shown: dict[str, Any] = accepted(await alone_api.get(path))["data"]
        return shown if shown["skipped"] else None

    shown = await assert_eventually(skipped)
    assert shown is not None
    assert shown["running"] == [first]
    assert shown["runs"] == 1


async def test_a_trigger_repeated_with_its_key_starts_one(alone_api: httpx2.AsyncClient) -> None:
    request = make_body(**NIGHTLY, paused=True, overlap="allow_all")
    await create(alone_api, request)
    path = f"/schedules/{request['schedule_id']}"
    first, second = ({"Idempotency-Key": new_id("key")} for _ in range(2))

    async def runs() -> int:
        return int(accepted(await alone_api.get(path))["data"]["runs"])

    for headers in (first, first, second):
        # Two starts in the same second would have the same id.
        await wait_for_next_second()
        accepted(await alone_api.post(f"{path}/trigger", headers=headers), 202)
        await assert_eventually(runs)

    async def second_run() -> int:
        return max(0, await runs() - 1)

    # A schedule handles its triggers in order. So it has handled all earlier ones.
    assert await assert_eventually(second_run) == 1
    other = make_body(**NIGHTLY)
    await create(alone_api, other)
    reused = await alone_api.post(f"/schedules/{other['schedule_id']}/trigger", headers=first)
    refused(reused, 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({}, "invalid_input", "cron"),
        ({**NIGHTLY, "interval_seconds": 60}, "invalid_input", "cron"),
        ({"cron": "every day"}, "invalid_input", "cron"),
        ({"cron": "61 * * * *"}, "invalid_input", "cron"),
        ({"cron": ""}, "invalid_input", "cron"),
        ({"interval_seconds": 0}, "invalid_input", "interval_seconds"),
        ({"interval_seconds": 10**9}, "invalid_input", "interval_seconds"),
        ({**NIGHTLY, "time_zone": "Mars/Olympus"}, "invalid_input", "time_zone"),
        ({**NIGHTLY, "overlap": "maybe"}, "invalid_input", "overlap"),
        ({**NIGHTLY, "schedule_id": "../x"}, "invalid_input", "schedule_id"),
        ({**NIGHTLY, "schedule_id": ""}, "invalid_input", "schedule_id"),
        ({**NIGHTLY, "research": {"symbol": "NOPE"}}, "unknown_symbol", "symbol"),
        ({**NIGHTLY, "research": {"strategy": "nope"}}, "unknown_strategy", "strategy"),
        ({**NIGHTLY, "research": {"trials": 0}}, "invalid_input", "research.trials"),
        ({**NIGHTLY, "when": "now"}, "invalid_input", "when"),
    ],
)
async def test_a_bad_schedule_is_refused_and_leaves_nothing(
    alone_api: httpx2.AsyncClient, changes: dict[str, Any], reason: str, field: str
) -> None:
    request = make_body(**changes)
    problem = refused(await alone_api.post("/schedules", json=request), 422, reason)
    assert field in problem["message"] or field in str(problem["errors"])
    known = await alone_api.get(f"/schedules/{request['schedule_id'] or 'x'}")
    assert known.status_code == 404


async def test_an_id_is_taken_once(alone_api: httpx2.AsyncClient) -> None:
    request = make_body(**NIGHTLY)
    await create(alone_api, request)
    refused(await alone_api.post("/schedules", json=request), 409, "already_exists")


@pytest.mark.parametrize("odd", ["nosuch", "x" * 10_000, "a%2Fb", "%E6%97%A5", "%00", "%2E%2E"])
async def test_an_unknown_schedule_is_not_found(alone_api: httpx2.AsyncClient, odd: str) -> None:
    refused(await alone_api.get(f"/schedules/{odd}"), 404, "not_found")
    refused(await alone_api.delete(f"/schedules/{odd}"), 404, "not_found")
    for change in ("pause", "unpause", "trigger"):
        refused(await alone_api.post(f"/schedules/{odd}/{change}"), 404, "not_found")
