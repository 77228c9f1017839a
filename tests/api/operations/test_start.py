"""Starts: once for each key, within the limit, by priority, and fair between owners."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, ended, refused, retry_while_busy
from tests.support.helpers import PATIENCE, assert_eventually, new_id, serving
from tests.support.phases import IN_DESIGN, queued
from worker import run_workers
from workflows.policies import RESEARCH_QUEUE

TRIGGER = "/agent/trigger"
LONG = {"trials": 5000, "seed": 7}

LIMIT = 3


async def read_statuses(api: httpx2.AsyncClient, operation_ids: list[str]) -> set[str]:
    answers = [accepted(await api.get(f"/operations/{each}"))["data"] for each in operation_ids]
    return {answer["status"] for answer in answers}


async def test_a_key_stands_for_one_operation(alone_api: httpx2.AsyncClient, alone: Client) -> None:
    """No worker runs, and the requests are simultaneous."""
    key = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(*(trigger_with_key(alone_api, "one") for _ in range(20)))
    ids = {accepted(answer, 202)["operation_id"] for answer in answers}
    assert len(ids) == 1
    prefixed = await alone_api.post(f"/api/v1{TRIGGER}", json=LONG, headers=key)
    assert {accepted(prefixed, 202)["operation_id"]} == ids
    assert (await alone.count_workflows("WorkflowType = 'Research'")).count <= 1

    other = await alone_api.post(TRIGGER, json=LONG, headers={"Idempotency-Key": "two"})
    assert accepted(other, 202)["operation_id"] not in ids


async def test_a_key_with_another_request_is_refused(alone_api: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "mine"}
    accepted(await alone_api.post(TRIGGER, json=LONG, headers=key), 202)
    for path, body in (
        (TRIGGER, LONG | {"seed": 8}),
        (TRIGGER, {}),
        ("/trainings/start", {"strategy_name": "quick"}),
    ):
        refused(
            await alone_api.post(path, json=body, headers=key),
            422,
            "idempotency_key_reused",
            "Idempotency-Key",
        )


async def test_a_key_outlives_its_operation(api: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "outlives"}
    body = {"strategy": "quick", "seed": 7}
    first = accepted(await api.post(TRIGGER, json=body, headers=key), 202)
    shown = await ended(api, first["operation_id"])
    again = accepted(await api.post(TRIGGER, json=body, headers=key), 202)
    assert again["operation_id"] == first["operation_id"]
    assert await ended(api, first["operation_id"]) == shown


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_an_invalid_key_is_refused(alone_api: httpx2.AsyncClient, key: str) -> None:
    answer = await alone_api.post(TRIGGER, json=LONG, headers={"Idempotency-Key": key})
    refused(answer, 422, "invalid_input", "Idempotency-Key")


@pytest_asyncio.fixture
async def limited(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that admits few researches, with a worker."""
    few = settings.model_copy(update={"max_active_researches": LIMIT})
    async with run_workers(alone, few), serving(create_app(few, alone)) as http:
        yield http
        accepted(await http.delete("/operations", params={"owner": "anonymous"}), 202)

        async def idle() -> bool:
            running = "WorkflowType = 'Research' AND ExecutionStatus = 'Running'"
            return (await alone.count_workflows(running)).count == 0

        await assert_eventually(idle)


async def trigger_with_key(api: httpx2.AsyncClient, key: str) -> httpx2.Response:
    return await retry_while_busy(
        lambda: api.post(TRIGGER, json=LONG, headers={"Idempotency-Key": key})
    )


async def test_the_limit_is_not_overshot_by_simultaneous_triggers(
    limited: httpx2.AsyncClient,
) -> None:
    answers = await asyncio.gather(*(trigger_with_key(limited, f"burst-{n}") for n in range(50)))
    ids = [accepted(each, 202)["operation_id"] for each in answers if each.status_code == 202]
    assert len(ids) == LIMIT
    for answer in answers:
        if answer.status_code != 202:
            assert answer.status_code == 409
            problem = answer.json()
            assert problem["reason"] == "at_capacity"
            assert problem["triggered"] is False
            assert (problem["active_count"], problem["limit"]) == (LIMIT, LIMIT)
    assert await read_statuses(limited, ids) <= {"pending", "running"}

    async def full() -> bool:
        overview = accepted(await limited.get("/agent/status"))
        return bool(overview["capacity"] == {"active": LIMIT, "limit": LIMIT, "unlimited": False})

    await assert_eventually(full)

    # The end of a research makes room at once.
    accepted(await limited.delete(f"/agent/cancel/{ids[0]}", params={"wait": 20}))
    accepted(await limited.post(TRIGGER, json=LONG), 202)
    refusal = await limited.post(TRIGGER, json=LONG)
    assert refusal.json()["reason"] == "at_capacity"

    # A resume needs room, too.
    resumed = await limited.post(f"/operations/{ids[0]}/resume")
    assert resumed.json()["reason"] == "at_capacity"


async def test_a_repeated_request_is_answered_at_the_limit(
    limited: httpx2.AsyncClient,
) -> None:
    key = {"Idempotency-Key": "early"}
    first = accepted(await limited.post(TRIGGER, json=LONG, headers=key), 202)
    for _ in range(LIMIT - 1):
        accepted(await limited.post(TRIGGER, json=LONG), 202)
    assert (await limited.post(TRIGGER, json=LONG)).status_code == 409
    again = accepted(await limited.post(TRIGGER, json=LONG, headers=key), 202)
    assert again["operation_id"] == first["operation_id"]


async def run_in_order(
    api: httpx2.AsyncClient, alone: Client, settings: Settings, bodies: list[dict[str, Any]]
) -> list[str]:
    """Let researches wait for one slot. Return their owners in the order in which they got it."""
    one_slot = settings.model_copy(update={"compute_slots": 1})
    owner_of: dict[str, str] = {}
    async with run_workers(alone, one_slot, [RESEARCH_QUEUE]):
        busy = await IN_DESIGN.begin(alone)
        for body in bodies:
            small = {"trials": 1, "seed": 7, "symbol": "GOOD"} | body
            started = accepted(await api.post(TRIGGER, json=small), 202)
            owner_of[started["operation_id"]] = body["owner"]
        for operation_id in owner_of:
            await queued(alone.get_workflow_handle(operation_id))
        await busy.cancel()

        async def all_designed() -> bool:
            rows = accepted(await api.get("/operations", params={"limit": 1000}))["data"]
            phases = {row["operation_id"]: row["phase"] for row in rows}
            return {phases.get(each) for each in owner_of} == {"training"}

        await assert_eventually(all_designed, within=PATIENCE)
    begins = []
    for operation_id, owner in owner_of.items():
        history = await alone.get_workflow_handle(operation_id).fetch_history()
        [begun] = [
            event.event_time.ToDatetime()
            for event in history.events
            if event.HasField("activity_task_started_event_attributes")
        ]
        begins.append((begun, owner))
    return [owner for _, owner in sorted(begins)]


async def test_one_owners_many_researches_do_not_starve_anothers_first(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    bodies = [{"owner": "many"}] * 12 + [{"owner": "first"}]
    order = await run_in_order(alone_api, alone, settings, bodies)
    assert len(order) == 13
    assert order.index("first") < 8


async def test_a_higher_priority_goes_first(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    low, high = {"owner": "low", "priority": 5}, {"owner": "high", "priority": 1}
    order = await run_in_order(alone_api, alone, settings, [low] * 5 + [high] * 2)
    assert order[:2] == ["high"] * 2


async def test_a_training_and_its_backtest_run_outside_a_research(api: httpx2.AsyncClient) -> None:
    owner = new_id("owner")
    body = {"strategy_name": "quick", "seed": 7, "owner": owner, "priority": 2}
    started = accepted(await api.post("/trainings/start", json=body), 202)
    assert started["status"] == "training_started"
    assert started["task_id"] == started["operation_id"]
    assert started["operation_id"].startswith("op_training_")
    trained = await ended(api, started["operation_id"])
    assert (trained["status"], trained["owner"], trained["priority"]) == ("completed", owner, 2)

    body = {"training_id": started["operation_id"], "owner": owner}
    answer = await api.post("/backtests/start", json=body)
    tested = accepted(answer, 202)
    assert tested["operation_id"].startswith("op_backtesting_")
    assert tested["strategy_name"] == "quick"
    assert answer.headers["location"].endswith(tested["operation_id"])
    assert (await ended(api, tested["operation_id"]))["status"] == "completed"
    results = accepted(await api.get(f"/operations/{tested['operation_id']}/results"))
    assert [level["cost_multiple"] for level in results["results"]["levels"]] == [0.0, 1.0, 2.0]

    async def both_listed() -> bool:
        listed = accepted(await api.get("/operations", params={"owner": owner}))["data"]
        return {row["operation_type"] for row in listed} == {"training", "backtesting"}

    await assert_eventually(both_listed)


async def test_a_cancelled_training_outside_a_research_is_resumed_and_retried(
    api: httpx2.AsyncClient,
) -> None:
    started = accepted(
        await api.post("/trainings/start", json={"strategy_name": "slow", "seed": 7}), 202
    )
    operation_id = started["operation_id"]
    for _ in range(2):
        accepted(await api.request("DELETE", f"/operations/{operation_id}", params={"wait": 20}))
        accepted(await api.post(f"/operations/{operation_id}/resume"), 202)
    accepted(await api.request("DELETE", f"/operations/{operation_id}", params={"wait": 20}))
    retried = accepted(await api.post(f"/operations/{operation_id}/retry"), 202)["data"]
    assert retried["operation_type"] == "training"
    accepted(
        await api.request("DELETE", f"/operations/{retried['operation_id']}", params={"wait": 20})
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "reason", "field"),
    [
        ("/trainings/start", {}, 422, "invalid_input", "strategy_name"),
        ("/trainings/start", {"strategy_name": "no"}, 422, "unknown_strategy", "strategy"),
        ("/trainings/start", {"strategy_name": "../x"}, 422, "invalid_input", "strategy_name"),
        (
            "/trainings/start",
            {"strategy_name": "quick", "symbol": "NO"},
            422,
            "unknown_symbol",
            "symbol",
        ),
        ("/trainings/start", {"strategy_name": "quick", "x": 1}, 422, "invalid_input", "x"),
        ("/backtests/start", {}, 422, "invalid_input", "training_id"),
        ("/backtests/start", {"training_id": "nosuch"}, 404, "not_found", None),
        ("/backtests/start", {"training_id": ""}, 404, "not_found", None),
    ],
)
async def test_a_bad_start_is_refused(
    alone_api: httpx2.AsyncClient,
    path: str,
    body: dict[str, Any],
    status: int,
    reason: str,
    field: str | None,
) -> None:
    refused(await alone_api.post(path, json=body), status, reason, field)


async def test_a_backtest_needs_a_training_that_has_completed(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    body: dict[str, Any] = {"training_id": handle.id}
    answer = refused(await api.post("/backtests/start", json=body), 422, "invalid_input")
    assert answer["errors"][0]["field"] == "training_id"
    started = accepted(
        await api.post("/trainings/start", json={"strategy_name": "slow", "seed": 7}), 202
    )
    body = {"training_id": started["operation_id"]}
    refused(await api.post("/backtests/start", json=body), 409, "not_finished")
