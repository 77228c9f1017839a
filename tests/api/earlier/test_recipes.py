"""The recipes by which people used the earlier system, end to end.

Others of them are tests elsewhere: cancelling in each phase (`operations/test_cancel.py`), progress
that stays where it was cancelled (`operations/test_lists.py`), restarts (`tests/e2e`).
"""

from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.phases import IN_DESIGN, IN_TRAINING, Stay
from tests.support.quant.data import FAILURE_OF_FLAT, FLAT
from worker import run_workers

TRIGGER = "/api/v1/agent/trigger"
QUICK = {"strategy": "quick", "bypass_gates": True}


@pytest.mark.parametrize(
    ("stay", "step"), [(IN_DESIGN, "design"), (IN_TRAINING, "training")], ids=["design", "training"]
)
async def test_a_new_research_starts_right_after_a_cancel(
    api: httpx2.AsyncClient, client: Client, stay: Stay, step: str
) -> None:
    handle = await stay.begin(client)
    answer = accepted(await api.delete(f"/api/v1/agent/cancel/{handle.id}", params={"wait": 20}))
    assert (answer["success"], answer["child_cancelled"]) == (True, f"{handle.id}.{step}")
    started = accepted(await api.post(TRIGGER, json=QUICK), 202)
    assert started["triggered"] is True
    assert (await ended(api, started["operation_id"]))["status"] == "completed"


async def test_a_cancel_while_nothing_runs_is_refused(alone_api: httpx2.AsyncClient) -> None:
    assert accepted(await alone_api.get("/agent/status"))["status"] == "idle"
    unknown = new_id("op_agent_research")
    refused(await alone_api.delete(f"/agent/cancel/{unknown}"), 404, "not_found")


async def test_many_researches_share_few_workers(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    one_slot = settings.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot):
        started = [
            accepted(await alone_api.post(TRIGGER, json=QUICK | {"seed": seed}), 202)
            for seed in range(3)
        ]
        ids = {each["operation_id"] for each in started}
        assert len(ids) == 3

        async def all_completed() -> bool:
            status = accepted(await alone_api.get("/agent/status"))
            for load in status["workers"].values():
                assert load["busy"] <= load["total"] <= 1
            shown = [accepted(await alone_api.get(f"/operations/{each}"))["data"] for each in ids]
            assert {each["status"] for each in shown} <= {"pending", "running", "completed"}
            return {each["status"] for each in shown} == {"completed"}

        await assert_eventually(all_completed, within=PATIENCE)


async def test_one_fails_with_a_checkpoint_and_the_others_complete(
    api: httpx2.AsyncClient,
) -> None:
    bodies = [QUICK, QUICK | {"symbol": FLAT}, QUICK | {"seed": 8}]
    first, failing, last = [
        accepted(await api.post(TRIGGER, json=body), 202)["operation_id"] for body in bodies
    ]
    failed = await ended(api, failing)
    assert failed["status"] == "failed"
    assert FAILURE_OF_FLAT in failed["error_message"]
    checkpoint = accepted(await api.get(f"/checkpoints/{failing}"))["data"]
    assert checkpoint["checkpoint_type"] == "failure"
    for operation_id in (first, last):
        assert (await ended(api, operation_id))["status"] == "completed"


@pytest.mark.parametrize("model", ["gpt-9", "nobody:large", "claude", ""])
async def test_an_unknown_model_is_refused(alone_api: httpx2.AsyncClient, model: str) -> None:
    answer = await alone_api.post(TRIGGER, json={"model": model, "brief": "momentum"})
    refused(answer, 422, "invalid_input", "model")


async def test_a_strategy_instead_of_a_brief_skips_the_design(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings):
        body = {"strategy": "slow", "bypass_gates": True}
        started = accepted(await alone_api.post(TRIGGER, json=body), 202)
        operation_id = started["operation_id"]

        async def begun() -> dict[str, Any] | None:
            shown = accepted(await alone_api.get(f"/operations/{operation_id}"))["data"]
            parameters: dict[str, Any] = shown["metadata"]["parameters"]
            return parameters if "training_op_id" in parameters else None

        parameters = await assert_eventually(begun)
        assert parameters is not None
        assert parameters["design_complete"] is True
        assert "design_op_id" not in parameters
        accepted(await alone_api.delete(f"/operations/{operation_id}", params={"wait": 20}))


async def test_a_training_by_itself_shows_progress_and_is_cancelled(
    api: httpx2.AsyncClient,
) -> None:
    body = {
        "strategy_name": "slow",
        "symbols": ["SP500"],
        "timeframes": ["1d"],
        "start_date": "2000-01-01",
        "end_date": "2015-12-31",
        "detailed_analytics": False,
    }
    started = accepted(await api.post("/api/v1/trainings/start", json=body), 202)
    operation_id = started["task_id"]

    async def moves() -> bool:
        shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
        return bool(shown["progress"]["percentage"] > 0.0 and shown["progress"]["current_step"])

    await assert_eventually(moves)
    answer = await api.request(
        "DELETE", f"/operations/{operation_id}", params={"wait": 20}, json={"reason": None}
    )
    assert accepted(answer)["data"]["status"] == "cancelled"
    assert (await ended(api, operation_id))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/trainings/start", {"strategy_name": "nosuch"}, 422, "unknown_strategy"),
        ("/backtests/start", {"strategy_name": "nosuch"}, 422, "invalid_input"),
        ("/backtests/start", {"model_path": "op_training_x/model.txt"}, 404, "not_found"),
    ],
)
async def test_a_step_of_something_unknown_is_refused(
    alone_api: httpx2.AsyncClient, path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    days = {"start_date": "2012-01-01", "end_date": "2013-12-31"}
    refused(await alone_api.post(f"/api/v1{path}", json=body | days), status, reason)


async def test_an_unknown_operation_is_not_found(alone_api: httpx2.AsyncClient) -> None:
    for path in ("", "/results", "/children", "/metrics"):
        refused(await alone_api.get(f"/operations/op_training_nosuch{path}"), 404, "not_found")
