"""Children, results, metrics and report of an operation, and the overview of all."""

import asyncio
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    WorkflowFailureError,
)

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, refused
from tests.support.helpers import PATIENCE, assert_eventually, serving
from tests.support.outside.temporal_server import activity_started
from tests.support.phases import IN_DESIGN, IN_TRAINING, start
from worker import run_workers
from workflows.interface.messages import ResearchRequest

STEPS = ["agent_design", "training", "backtesting", "agent_assessment"]


@pytest_asyncio.fixture(scope="module")
async def completed(client: Client) -> str:
    """A research that has completed all steps."""
    handle = await start(client, ResearchRequest(trials=2, seed=7, bypass_gates=True))
    await handle.result()
    return handle.id


async def test_children_are_listed_in_their_order(api: httpx2.AsyncClient, completed: str) -> None:
    body = accepted(await api.get(f"/operations/{completed}/children"))
    assert [child["operation_type"] for child in body["data"]] == STEPS
    assert (body["total_count"], body["active_count"]) == (4, 0)
    moments = []
    for child in body["data"]:
        assert child["status"] == "completed"
        assert child["duration_seconds"] > 0
        moments += [child["created_at"], child["completed_at"]]
    assert moments == sorted(moments)


async def test_each_step_has_its_results(api: httpx2.AsyncClient, completed: str) -> None:
    expected = {
        "": {"verdict", "backtest_result", "model_sha256", "statistics"},
        ".design": {"spec", "trials", "best_sharpe"},
        ".training": {"model_sha256", "folds", "log_loss"},
        ".backtest": {"levels", "benchmark"},
        ".assessment": {"verdict", "observations", "limitations"},
    }
    for suffix, names in expected.items():
        body = accepted(await api.get(f"/operations/{completed}{suffix}/results"))
        assert body["operation_id"] == f"{completed}{suffix}"
        assert body["status"] == "completed"
        assert names <= body["results"].keys()


async def test_metrics_of_a_research_are_those_of_its_training(
    api: httpx2.AsyncClient, completed: str
) -> None:
    own = accepted(await api.get(f"/operations/{completed}/metrics"))["data"]
    trained = accepted(await api.get(f"/operations/{completed}.training/metrics"))["data"]
    assert own["metrics"] == trained["metrics"]
    metrics = own["metrics"]
    assert metrics["total_epochs_completed"] == metrics["total_epochs_planned"] > 0
    assert {epoch["fold"] for epoch in metrics["epochs"]} == {1, 2, 3, 4, 5, None}
    losses = [epoch["val_loss"] for epoch in metrics["epochs"] if epoch["val_loss"] is not None]
    assert metrics["best_val_loss"] == min(losses)
    other = accepted(await api.get(f"/operations/{completed}.backtest/metrics"))["data"]
    assert other["metrics"]["epochs"] == []


async def test_metrics_are_there_while_a_training_runs(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)

    async def some() -> dict[str, Any] | None:
        answer = accepted(await api.get(f"/operations/{handle.id}/metrics"))
        metrics: dict[str, Any] = answer["data"]["metrics"]
        return metrics if metrics["epochs"] else None

    metrics = await assert_eventually(some, within=PATIENCE)
    assert metrics is not None
    assert 0 < metrics["total_epochs_completed"] < metrics["total_epochs_planned"]
    refused(await api.get(f"/operations/{handle.id}/results"), 409, "not_finished")
    refused(await api.get(f"/operations/{handle.id}/report"), 409, "not_finished")
    await handle.cancel()


class LosesAnswers(Interceptor):
    """Loses the first answer to each query, like a worker that evicts a closed workflow."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        asked: set[str] = set()

        class Losing(OutboundInterceptor):
            async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002
                if input.query not in asked:
                    asked.add(input.query)
                    await asyncio.Event().wait()
                return await super().query_workflow(input)

        return Losing(next)


async def test_a_lost_answer_is_queried_again(
    client: Client, settings: Settings, completed: str
) -> None:
    config = client.config()
    config["interceptors"] = [LosesAnswers()]
    async with serving(create_app(settings, Client(**config))) as api:
        body = accepted(await api.get(f"/operations/{completed}.design/results"))
    assert body["results"]["trials"] == 2


async def test_without_success_there_are_no_results(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    accepted(await api.delete(f"/operations/{handle.id}", params={"wait": 20}))
    body = accepted(await api.get(f"/operations/{handle.id}/results"))
    assert (body["status"], body["results"]) == ("cancelled", {})
    refused(await api.get(f"/operations/{handle.id}/report"), 404, "missing_artifact")


@pytest.mark.parametrize("part", ["children", "results", "metrics", "report"])
@pytest.mark.parametrize("odd", ["nosuch", "x" * 10_000, "op%2F..%2Fother", "%00", "%E6%97%A5"])
async def test_an_unknown_id_is_not_found(api: httpx2.AsyncClient, part: str, odd: str) -> None:
    refused(await api.get(f"/operations/{odd}/{part}"), 404, "not_found")


async def test_the_overview_shows_active_researches_and_workers(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    idle = accepted(await alone_api.get("/agent/status"))
    assert (idle["status"], idle["active_researches"], idle["last_cycle"]) == ("idle", [], None)
    assert idle["capacity"] == {"active": 0, "limit": 1_000_000, "unlimited": True}
    async with run_workers(alone, settings):
        done = await start(alone, ResearchRequest(strategy="quick", seed=7))
        await done.result()
        training = await start(alone, IN_TRAINING.request)
        await activity_started(IN_TRAINING.working(alone, training.id), "train")

        async def active() -> dict[str, Any] | None:
            overview: dict[str, Any] = accepted(await alone_api.get("/agent/status"))
            researches = overview["active_researches"]
            phases = [research["phase"] for research in researches]
            return overview if phases == ["training"] else None

        overview = await assert_eventually(active)
        assert overview is not None
        [research] = overview["active_researches"]
        assert research["operation_id"] == training.id
        assert research["child_operation_id"] == f"{training.id}.training"
        assert research["strategy_name"] == "slow"
        assert research["duration_seconds"] >= 0
        assert overview["status"] == "active"

        async def busy() -> bool:
            overview = accepted(await alone_api.get("/agent/status"))
            slots = settings.compute_slots
            assert overview["queues"]["training"] == {"busy": 1, "total": slots}
            assert overview["workers"] == {
                step: {"total": slots, "waiting": 0, "retrying": 0, "paused": 0}
                | {"busy": int(step == "training")}
                for step in ("training", "backtesting", "agent_design", "agent_assessment")
            }
            return True

        await assert_eventually(busy)
        listed = (await alone_api.get("/workers")).json()
        types = [worker["worker_type"] for worker in listed]
        assert types == ["backtesting", "research", "training"]
        assert {worker["total"] for worker in listed} == {settings.compute_slots}
        only = (await alone_api.get("/workers", params={"worker_type": "training"})).json()
        assert [worker["worker_type"] for worker in only] == ["training"]
        assert only[0]["current_operation_id"] == f"{training.id}.training"
        answer = await alone_api.get("/workers", params={"worker_type": "agent_assessment"})
        assert [worker["operation_types"] for worker in answer.json()] == [
            ["agent_design", "agent_assessment"]
        ]
        await training.cancel()
        with pytest.raises(WorkflowFailureError):
            await training.result()

    async def last() -> dict[str, Any] | None:
        found: dict[str, Any] | None = accepted(await alone_api.get("/agent/status"))["last_cycle"]
        return found

    last_cycle = await assert_eventually(last)
    assert last_cycle is not None
    assert last_cycle["operation_id"] == done.id
    assert last_cycle["outcome"] == "completed"
    # Only a worker knows whether the step exists. Without one the answer is not `not found`.
    body = refused(
        await alone_api.get(f"/operations/{done.id}.assessment"), 503, "temporal_unavailable"
    )
    assert "No worker" in body["detail"]
