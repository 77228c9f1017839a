"""What clients of the earlier system rely on, and the promises that it did not keep."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from api.app import create_app
from quant.messages.artifacts import Artifact
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually, serving
from tests.support.outside.temporal_server import activity_started
from tests.support.phases import IN_DESIGN, IN_TRAINING, QUICK, start
from worker import run_workers

OPERATION = {
    "operation_id",
    "parent_operation_id",
    "operation_type",
    "status",
    "created_at",
    "started_at",
    "completed_at",
    "progress",
    "metadata",
    "error_message",
    "warnings",
    "errors",
    "result_summary",
    "metrics",
    "is_backend_local",
}
ADDED = {"phase", "cancel_requested", "forced", "owner", "priority", "retry_of", "children"}
PROGRESS = {
    "percentage",
    "current_step",
    "steps_completed",
    "steps_total",
    "items_processed",
    "items_total",
    "current_item",
    "context",
}
METADATA = {"symbol", "timeframe", "mode", "start_date", "end_date", "parameters"}
PARAMETERS = {
    "phase",
    "model",
    "brief",
    "strategy_name",
    "bypass_gates",
    "training_op_id",
    "backtest_op_id",
    "assessment_op_id",
}
SUMMARY = {
    "operation_id",
    "operation_type",
    "status",
    "created_at",
    "progress_percentage",
    "current_step",
    "symbol",
    "duration_seconds",
}


async def cancel(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    answer = await api.request(
        "DELETE", f"/operations/{operation_id}", params={"wait": 20}, json={"reason": "enough"}
    )
    data: dict[str, Any] = accepted(answer)["data"]
    return data


async def test_an_operation_has_its_fields(api: httpx2.AsyncClient, completed: str) -> None:
    body = accepted(await api.get(f"/api/v1/operations/{completed}"))
    assert body["success"] is True
    assert body["data"].keys() >= OPERATION | ADDED
    assert body["data"]["progress"].keys() == PROGRESS
    assert body["data"]["metadata"].keys() == METADATA | {"symbols"}
    assert body["data"]["metadata"]["parameters"].keys() >= PARAMETERS
    summary = body["data"]["result_summary"]
    assert summary["success"] is True
    assert {"strategy_name", "verdict", "backtest_result", "model_path"} <= summary.keys()


async def test_lists_have_their_fields(api: httpx2.AsyncClient, completed: str) -> None:
    for path in ("/api/v1/operations", f"/api/v1/operations/{completed}/children"):
        body = accepted(await api.get(path))
        assert {"success", "data", "total_count", "active_count"} <= body.keys()
        assert all(row.keys() >= SUMMARY for row in body["data"])
        assert body["data"]


async def test_a_cancel_has_its_fields(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_DESIGN.begin(client)
    data = await cancel(api, handle.id)
    assert data["status"] == "cancelled"
    assert data["cancelled_at"]
    assert data["cancellation_reason"] == "enough"
    assert data["children_cancelled"] == [f"{handle.id}.design"]
    assert (data["task_cancelled"], data["remote_cancelled"]) == (True, True)


async def test_a_resume_has_its_fields(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_DESIGN.begin(client)
    await cancel(api, handle.id)
    data = accepted(await api.post(f"/api/v1/operations/{handle.id}/resume"), 202)["data"]
    assert {"operation_id", "status", "resumed_from"} == data.keys()
    assert {"checkpoint_type", "created_at", "epoch"} == data["resumed_from"].keys()
    await cancel(api, handle.id)


async def test_the_workers_are_a_bare_list(api: httpx2.AsyncClient) -> None:
    assert isinstance((await api.get("/api/v1/workers")).json(), list)


async def test_an_unknown_route_is_not_found(api: httpx2.AsyncClient, completed: str) -> None:
    """A client of the earlier system asks for the checkpoint of each row of a list."""
    refused(await api.get(f"/api/v1/checkpoints/{completed}"), 404, "not_found")


# The promises, in the order of their list.


async def test_1_finished_operations_are_listed_by_an_api_that_has_just_started(
    client: Client, settings: Settings, completed: str
) -> None:
    async with serving(create_app(settings, client)) as fresh:

        async def listed() -> bool:
            body = accepted(await fresh.get("/operations", params={"limit": 1000}))
            status = {row["operation_id"]: row["status"] for row in body["data"]}
            return status.get(completed) == "completed"

        await assert_eventually(listed)


async def test_2_children_are_there(api: httpx2.AsyncClient, completed: str) -> None:
    body = accepted(await api.get(f"/operations/{completed}/children"))
    assert {row["operation_id"] for row in body["data"]} == {
        f"{completed}.{step}" for step in ("training", "backtest", "assessment")
    }


async def test_3_the_general_cancel_reaches_the_child(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)
    assert (await cancel(api, handle.id))["children_cancelled"] == [f"{handle.id}.training"]
    child = accepted(await api.get(f"/operations/{handle.id}.training"))["data"]
    assert child["status"] == "cancelled"


async def test_4_an_operation_that_does_not_stop_in_time_is_not_called_cancelled(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    """Without a worker nothing stops."""
    handle = await start(alone, QUICK)
    answer = await alone_api.delete(f"/operations/{handle.id}", params={"wait": 0.2})
    data = accepted(answer)["data"]
    assert (data["status"], data["cancelled_at"]) == ("cancelling", None)
    shown = accepted(await alone_api.get(f"/operations/{handle.id}"))["data"]
    assert (shown["status"], shown["cancel_requested"]) == ("pending", True)


async def test_5_a_resume_does_not_refuse_itself(api: httpx2.AsyncClient, client: Client) -> None:
    """Neither the research itself nor another running research is a reason to refuse."""
    other = await IN_DESIGN.begin(client)
    handle = await IN_DESIGN.begin(client)
    await cancel(api, handle.id)
    accepted(await api.post(f"/operations/{handle.id}/resume"), 202)
    await activity_started(handle, "design")
    await cancel(api, handle.id)
    await cancel(api, other.id)


async def test_6_a_cancel_leaves_the_checkpoint(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    handle = await IN_TRAINING.begin(client)
    artifacts = ArtifactStore(settings.artifacts_url).open(f"{handle.id}.training")

    async def saved() -> bool:
        return artifacts.read(Artifact.CHECKPOINT) is not None

    await assert_eventually(saved)
    await cancel(api, handle.id)
    assert artifacts.read(Artifact.CHECKPOINT) is not None


async def test_7_phase_and_child_survive_a_restart_of_the_api(
    client: Client, settings: Settings
) -> None:
    handle = await IN_TRAINING.begin(client)
    async with serving(create_app(settings, client)) as fresh:
        shown = accepted(await fresh.get(f"/operations/{handle.id}"))["data"]
    assert shown["phase"] == shown["metadata"]["parameters"]["phase"] == "training"
    assert shown["metadata"]["parameters"]["training_op_id"] == f"{handle.id}.training"
    await handle.cancel()


async def test_8_a_retry_runs(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    """The research is cancelled before a worker runs, because a worker would soon finish it."""
    handle = await start(alone, QUICK)
    accepted(await alone_api.delete(f"/operations/{handle.id}", params={"wait": 0}))
    async with run_workers(alone, settings):
        assert (await ended(alone_api, handle.id))["status"] == "cancelled"
        retried = accepted(await alone_api.post(f"/operations/{handle.id}/retry"), 202)["data"]
        shown = await ended(alone_api, retried["operation_id"])
    assert (shown["status"], shown["retry_of"]) == ("completed", handle.id)


async def test_9_metrics_are_under_their_names(api: httpx2.AsyncClient, completed: str) -> None:
    data = accepted(await api.get(f"/operations/{completed}/metrics"))["data"]
    assert {"operation_id", "operation_type", "metrics"} == data.keys()
    assert {"epochs", "best_epoch", "best_val_loss"} <= data["metrics"].keys()
    epoch = data["metrics"]["epochs"][0]
    assert {"epoch", "train_loss", "val_loss"} <= epoch.keys()


async def test_10_temporal_removes_closed_workflows_by_itself(client: Client) -> None:
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace), retry=True
    )
    assert answer.config.workflow_execution_retention_ttl.ToTimedelta() >= timedelta(hours=24)


@pytest.mark.parametrize("path", ["/operations/nosuch", "/agent/trigger"])
async def test_11_a_refusal_says_what_is_wrong_at_its_top_level(
    api: httpx2.AsyncClient, path: str
) -> None:
    answer = await (api.get(path) if "operations" in path else api.post(path, json={"trials": 0}))
    body = answer.json()
    assert body["success"] is False
    assert body["message"] == body["detail"]


async def test_12_a_resumed_operation_is_active(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_DESIGN.begin(client)
    await cancel(api, handle.id)
    accepted(await api.post(f"/operations/{handle.id}/resume"), 202)

    async def listed() -> bool:
        body = accepted(await api.get("/operations", params={"active_only": True, "limit": 1000}))
        return handle.id in {row["operation_id"] for row in body["data"]}

    await assert_eventually(listed)
    await cancel(api, handle.id)
