"""Routes that clients of the earlier system use, and the keys that they read."""

from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from api.agent.schemas import UNLIMITED_DOLLARS
from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually, free_port, serving
from tests.support.phases import IN_DESIGN, IN_TRAINING
from tests.support.quant.data import FLAT


async def test_a_cancelled_research_has_a_checkpoint_until_it_is_deleted(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)

    async def saved() -> dict[str, Any] | None:
        answer = await api.get(f"/checkpoints/{handle.id}")
        found: dict[str, Any] = answer.json().get("data") or {}
        return found if found.get("state", {}).get("epoch") else None

    running = await assert_eventually(saved)
    assert running is not None
    assert running["checkpoint_type"] == "periodic"
    refused(await api.delete(f"/checkpoints/{handle.id}"), 409, "not_finished")
    accepted(await api.delete(f"/operations/{handle.id}", params={"wait": 20}))

    kept = accepted(await api.get(f"/checkpoints/{handle.id}"))["data"]
    assert {"operation_id", "checkpoint_type", "created_at", "state", "artifacts_path"} <= (
        kept.keys()
    )
    assert kept["checkpoint_type"] == "cancellation"
    assert kept["artifacts_path"].endswith("checkpoint.json")
    assert kept["state"]["step"] == "training"
    assert 0 < kept["state"]["epoch"] < kept["state"]["total_epochs"]
    assert isinstance(kept["state"]["train_loss"], float)

    async def listed() -> dict[str, Any] | None:
        body = accepted(await api.get("/checkpoints", params={"limit": 1000}))
        rows = {row["operation_id"]: row for row in body["data"]}
        assert body["total_count"] == len(rows)
        return rows.get(handle.id)

    row = await assert_eventually(listed)
    assert row is not None
    assert row["state_summary"]["epoch"] == kept["state"]["epoch"]
    assert row["artifacts_size_bytes"] > 0
    old = accepted(await api.get("/checkpoints", params={"older_than_days": 1}))
    assert handle.id not in {row["operation_id"] for row in old["data"]}

    deleted = accepted(await api.delete(f"/checkpoints/{handle.id}"))
    assert deleted["success"] is True
    assert handle.id in deleted["message"]
    refused(await api.get(f"/checkpoints/{handle.id}"), 404, "not_found")
    refused(await api.post(f"/operations/{handle.id}/resume"), 409, "not_resumable")
    assert await listed() is None
    # A retry needs no checkpoint.
    retried = accepted(await api.post(f"/operations/{handle.id}/retry"), 202)["data"]
    accepted(await api.delete(f"/operations/{retried['operation_id']}", params={"wait": 20}))


@pytest.mark.parametrize("step", ["", ".training", ".design"])
async def test_what_cannot_be_resumed_has_no_checkpoint(
    api: httpx2.AsyncClient, completed: str, step: str
) -> None:
    refused(await api.get(f"/checkpoints/{completed}{step}"), 404, "not_found")
    refused(await api.delete(f"/checkpoints/{completed}{step}"), 404, "not_found")


async def test_an_unknown_operation_has_no_checkpoint(api: httpx2.AsyncClient) -> None:
    refused(await api.get("/checkpoints/nosuch"), 404, "not_found")
    refused(await api.delete("/checkpoints/nosuch"), 404, "not_found")


async def test_models_are_listed_with_the_paths_that_backtests_take(
    api: httpx2.AsyncClient, completed: str
) -> None:
    async def listed() -> dict[str, Any] | None:
        body = accepted(await api.get("/models", params={"limit": 1000}))
        assert body["total_count"] >= len(body["models"])
        return {model["model_id"]: model for model in body["models"]}.get(f"{completed}.training")

    model = await assert_eventually(listed)
    assert model is not None
    assert model["model_name"] == "quick"
    assert (model["symbol"], model["timeframe"]) == ("SP500", "1d")
    assert 0.0 < model["test_accuracy"] < 1.0
    assert model["created_at"]
    assert model["model_path"] == f"{completed}.training/model.txt"


@pytest.mark.usefixtures("completed")
async def test_strategies_are_listed_under_both_names_with_their_trainings(
    api: httpx2.AsyncClient,
) -> None:
    async def listed() -> dict[str, Any] | None:
        body = accepted(await api.get("/strategies"))
        assert body["strategies"] == body["data"]
        rows: dict[str, Any] = {row["name"]: row for row in body["strategies"]}
        return rows if rows["quick"]["training_status"] == "trained" else None

    rows = await assert_eventually(listed)
    assert rows is not None
    quick = rows["quick"]
    assert (quick["symbol"], quick["timeframe"]) == ("SP500", "1d")
    assert quick["training_data"] == {"symbols": ["SP500"], "timeframes": ["1d"]}
    assert quick["latest_training_date"]
    assert 0.0 < quick["latest_metrics"]["accuracy"] < 1.0
    never = rows["volatility-breakout"]
    assert (never["training_status"], never["latest_metrics"]) == ("untrained", None)


async def test_strategies_are_listed_without_temporal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    async with serving(create_app(settings)) as http:
        rows = accepted(await http.get("/strategies"))["strategies"]
    assert {row["training_status"] for row in rows} == {"unknown"}


async def test_a_stored_strategy_is_validated_by_its_name(
    api: httpx2.AsyncClient, settings: Settings
) -> None:
    answer = accepted(await api.post("/strategies/validate/quick"))
    assert (answer["valid"], answer["issues"], answer["strategy_name"]) == (True, [], "quick")
    assert "rsi" in answer["available_indicators"]
    broken = settings.strategy_dir / "broken.yaml"
    broken.write_text("name: broken\nfeatures: []\n")
    try:
        answer = accepted(await api.post("/strategies/validate/broken"))
    finally:
        broken.unlink()
    assert (answer["valid"], answer["success"]) == (False, True)
    [issue] = answer["issues"]
    assert issue["severity"] == "error"
    assert "features" in issue["message"]
    refused(await api.post("/strategies/validate/nosuch"), 422, "unknown_strategy")


async def test_the_features_of_a_strategy_are_shown(api: httpx2.AsyncClient) -> None:
    answer = accepted(await api.get("/strategies/quick/features"))
    assert [each["feature_id"] for each in answer["features"]] == ["return_5", "rsi_14"]
    assert answer["count"] == 2


async def test_what_this_service_does_not_have_is_said(api: httpx2.AsyncClient) -> None:
    problem = refused(await api.get("/data/SP500/1d"), 404, "not_offered")
    assert "ktrdr data list" in problem["detail"]


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize(
    "path", ["operations", "strategies", "workers", "checkpoints", "models", "agent/status"]
)
async def test_lists_may_end_with_a_slash(api: httpx2.AsyncClient, prefix: str, path: str) -> None:
    assert (await api.get(f"{prefix}/{path}/")).status_code == 200


async def test_an_empty_id_is_not_a_list_for_other_methods(api: httpx2.AsyncClient) -> None:
    assert (await api.delete("/operations/")).status_code in {404, 405}
    assert (await api.get("/operations//")).status_code == 404


async def test_the_root_points_programs_to_the_api(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/", headers={"Accept": "application/json"})
    pointers = accepted(answer)
    assert pointers["message"]
    for name in ("openapi", "health", "operations", "agent_status"):
        assert (await api.get(pointers[name])).status_code == 200


async def test_designs_and_assessments_are_listed(
    api: httpx2.AsyncClient, client: Client, completed: str
) -> None:
    designing = await IN_DESIGN.begin(client)

    async def found(operation_type: str, **filters: Any) -> dict[str, str]:
        params: dict[str, Any] = {"operation_type": operation_type, "limit": 1000} | filters
        body = accepted(await api.get("/operations", params=params))
        assert all(row["operation_type"] == operation_type for row in body["data"])
        assert body["total_count"] == len(body["data"])
        return {row["operation_id"]: row["status"] for row in body["data"]}

    async def listed() -> bool:
        assessments = await found("agent_assessment", status="completed")
        designs = await found("agent_design", active_only=True)
        assert set(designs.values()) <= {"pending", "running"}
        mine = designs.get(f"{designing.id}.design")
        return f"{completed}.assessment" in assessments and mine == "running"

    await assert_eventually(listed)
    # A strategy that was given was not designed.
    assert f"{completed}.design" not in await found("agent_design")
    answer = await api.delete("/operations", params={"operation_type": "agent_design"})
    refused(answer, 422, "invalid_input", "operation_type")


async def test_limits_are_numbers_also_without_a_limit(alone: Client, settings: Settings) -> None:
    unlimited = settings.model_copy(update={"daily_budget": 0.0})
    async with serving(create_app(unlimited, alone)) as http:
        status = accepted(await http.get("/agent/status"))
        budget = accepted(await http.get("/agent/budget"))
    assert status["capacity"]["unlimited"] is True
    assert isinstance(status["capacity"]["limit"], int)
    for left in (status["budget"], budget):
        assert left["unlimited"] is True
        assert left["remaining"] == left["daily_limit"] == UNLIMITED_DOLLARS
    assert isinstance(budget["cycles_affordable"], int)


async def test_a_research_shows_its_parameters_as_it_goes(
    api: httpx2.AsyncClient, client: Client, completed: str
) -> None:
    designing = await IN_DESIGN.begin(client)
    shown = accepted(await api.get(f"/operations/{designing.id}"))["data"]
    parameters = shown["metadata"]["parameters"]
    assert parameters["design_complete"] is False
    assert parameters["design_op_id"] == f"{designing.id}.design"
    assert parameters["phase_start_time"] >= shown["created_at"][:19]
    assert not parameters.keys() & {"training_result", "backtest_result", "assessment_verdict"}

    done = accepted(await api.get(f"/operations/{completed}"))["data"]
    parameters, result = done["metadata"]["parameters"], done["result_summary"]
    assert parameters["design_complete"] is True
    assert "design_op_id" not in parameters
    assert parameters["training_result"]["model_sha256"] == result["model_sha256"]
    assert parameters["backtest_result"] == result["backtest_result"]
    assert parameters["assessment_verdict"] == result["verdict"]
    assert parameters["model_path"] == result["model_path"]


async def test_a_failed_training_makes_its_strategy_failed(api: httpx2.AsyncClient) -> None:
    body = {"strategy_name": "mean-reversion", "symbol": FLAT}
    started = accepted(await api.post("/trainings/start", json=body), 202)
    assert (await ended(api, started["task_id"]))["status"] == "failed"
    refused(await api.get(f"/trainings/{started['task_id']}/performance"), 409, "not_finished")

    async def failed() -> bool:
        rows = accepted(await api.get("/strategies"))["strategies"]
        status = {row["name"]: row["training_status"] for row in rows}
        return bool(status["mean-reversion"] == "failed")

    await assert_eventually(failed)
