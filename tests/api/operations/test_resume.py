"""Resume and retry: a cancelled or failed operation continues exactly once, to the same result."""

import asyncio
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import PATIENCE, assert_eventually, worker_process
from tests.support.outside.temporal_server import activity_started
from tests.support.phases import IN_DESIGN, IN_TRAINING, STAYS, Stay, start
from tests.support.processes import kill
from worker import run_workers
from workflows.interface.messages import ResearchRequest

STEADY = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)

# Without the statistics: they count what other researches have tried on the same bars.
FOUND = ("seed", "data_hash", "model_sha256", "backtest_result", "gate_rejection_reason")


async def cancel(api: httpx2.AsyncClient, operation_id: str) -> None:
    answer = accepted(await api.delete(f"/agent/cancel/{operation_id}", params={"wait": 30}))
    assert answer["status"] == "cancelled"


def read_result(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown["result_summary"][name] for name in FOUND}


@pytest_asyncio.fixture(scope="module")
async def undisturbed(client: Client, api: httpx2.AsyncClient) -> dict[str, Any]:
    """The result of the steady research without an interruption."""
    handle = await start(client, STEADY)
    return read_result(await ended(api, handle.id))


async def wait_for_checkpoint(api: httpx2.AsyncClient, operation_id: str) -> int:
    async def look() -> int:
        metrics = accepted(await api.get(f"/operations/{operation_id}/metrics"))["data"]["metrics"]
        return int(metrics["total_epochs_completed"])

    return await assert_eventually(look, within=PATIENCE)


@pytest.mark.long
async def test_a_training_continues_from_its_checkpoint_to_the_same_bits(
    api: httpx2.AsyncClient, client: Client, undisturbed: dict[str, Any]
) -> None:
    handle = await start(client, STEADY)
    saved = await wait_for_checkpoint(api, handle.id)
    await cancel(api, handle.id)

    listed = accepted(await api.get("/operations", params={"resumable": True, "limit": 1000}))
    assert handle.id in {row["operation_id"] for row in listed["data"]}
    resumed = accepted(await api.post(f"/operations/{handle.id}/resume"), 202)["data"]
    assert resumed["operation_id"] == handle.id
    assert resumed["resumed_from"]["checkpoint_type"] == "cancellation"
    assert resumed["resumed_from"]["epoch"] >= saved
    shown = await ended(api, handle.id)
    assert shown["status"] == "completed"
    assert read_result(shown) == undisturbed


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize("stay", STAYS[1:], ids=lambda stay: stay.phase.value)
async def test_finished_steps_are_not_repeated(
    api: httpx2.AsyncClient, client: Client, stay: Stay
) -> None:
    handle = await stay.begin(client)
    before = accepted(await api.get(f"/operations/{handle.id}/children"))["data"]
    await cancel(api, handle.id)

    accepted(await api.post(f"/operations/{handle.id}/resume"), 202)
    await stay.begun(client, handle.id)
    after = accepted(await api.get(f"/operations/{handle.id}/children"))["data"]
    steps = [child["operation_id"] for child in before]
    assert [child["operation_id"] for child in after] == steps
    kept = [
        (child["operation_id"], child["created_at"]) for child in before if child["completed_at"]
    ]
    assert {child["operation_id"] for child in after[:-1]} == set(steps[:-1])
    for operation_id, created_at in kept:
        if operation_id.endswith((".training", ".backtest")):
            again = accepted(await api.get(f"/operations/{operation_id}"))["data"]
            assert again["created_at"] == created_at
    await cancel(api, handle.id)


async def test_a_cancel_during_a_resume_is_not_lost(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)
    for _ in range(3):
        await cancel(api, handle.id)
        accepted(await api.post(f"/operations/{handle.id}/resume"), 202)
    await cancel(api, handle.id)
    assert (await ended(api, handle.id))["status"] == "cancelled"


async def test_one_of_simultaneous_resumes_is_accepted(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    await cancel(api, handle.id)
    answers = await asyncio.gather(*(api.post(f"/operations/{handle.id}/resume") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "not_resumable")
    await cancel(api, handle.id)


async def test_a_resume_is_repeated_safely_with_its_key(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    await cancel(api, handle.id)
    key = {"Idempotency-Key": f"again-{handle.id}"}
    path = f"/operations/{handle.id}/resume"
    answers = await asyncio.gather(*(api.post(path, headers=key) for _ in range(4)))
    [said] = {accepted(answer, 202)["data"]["resumed_from"]["created_at"] for answer in answers}
    await cancel(api, handle.id)
    # It has ended again, by another request than the one repeated here.
    again = accepted(await api.post(path, headers=key), 202)["data"]
    assert again["resumed_from"]["created_at"] == said
    assert accepted(await api.get(f"/operations/{handle.id}"))["data"]["status"] == "cancelled"


async def test_a_running_or_completed_operation_is_neither_resumed_nor_retried(
    api: httpx2.AsyncClient, client: Client
) -> None:
    running = await IN_DESIGN.begin(client)
    completed = await start(client, ResearchRequest(strategy="quick", seed=7))
    await completed.result()
    for operation_id in (running.id, completed.id):
        refused(await api.post(f"/operations/{operation_id}/resume"), 409, "not_resumable")
        refused(await api.post(f"/operations/{operation_id}/retry"), 409, "not_retryable")
    for step in (f"{completed.id}.training", f"{running.id}.design"):
        refused(await api.post(f"/operations/{step}/resume"), 409, "not_resumable")
    for verb in ("resume", "retry"):
        refused(await api.post(f"/operations/nosuch/{verb}"), 404, "not_found")


async def test_a_retry_is_a_new_operation_that_points_to_the_old_one(
    api: httpx2.AsyncClient, client: Client
) -> None:
    old = await IN_DESIGN.begin(client)
    await cancel(api, old.id)
    answers = await asyncio.gather(*(api.post(f"/operations/{old.id}/retry") for _ in range(4)))
    [started] = [answer for answer in answers if answer.status_code == 202]
    for answer in answers:
        if answer is not started:
            assert (
                started.json()["data"]["operation_id"]
                in refused(answer, 409, "not_retryable")["message"]
            )
    shown = accepted(started, 202)["data"]
    assert shown["operation_id"] != old.id
    assert started.headers["location"].endswith(shown["operation_id"])
    assert (await wait_until_begun(api, shown["operation_id"]))["retry_of"] == old.id
    assert accepted(await api.get(f"/operations/{old.id}"))["data"]["status"] == "cancelled"
    await cancel(api, shown["operation_id"])


async def wait_until_begun(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = accepted(await api.get(f"/operations/{operation_id}"))["data"]
        return shown if shown["status"] != "pending" else None

    shown = await assert_eventually(look, within=PATIENCE)
    assert shown is not None
    return shown


async def test_a_forced_end_can_be_resumed(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_TRAINING.begin(client)
    accepted(await api.request("DELETE", f"/operations/{handle.id}", json={"force": True}))
    accepted(await api.post(f"/operations/{handle.id}/resume"), 202)
    await activity_started(IN_TRAINING.working(client, handle.id), "train")
    await cancel(api, handle.id)


async def test_a_resume_without_a_worker_is_refused(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings):
        handle = await IN_DESIGN.begin(alone)
        await cancel(alone_api, handle.id)
    refused(await alone_api.post(f"/operations/{handle.id}/resume"), 503, "temporal_unavailable")


@pytest.mark.long
async def test_a_research_resumed_after_the_death_of_its_worker_ends_with_the_same_bits(
    alone_api: httpx2.AsyncClient,
    alone: Client,
    settings: Settings,
    undisturbed: dict[str, Any],
) -> None:
    with worker_process(alone, settings) as worker:
        handle = await start(alone, STEADY)
        await wait_for_checkpoint(alone_api, handle.id)
        kill(worker.pid)
    accepted(await alone_api.request("DELETE", f"/operations/{handle.id}", json={"force": True}))
    async with run_workers(alone, settings):
        accepted(await alone_api.post(f"/operations/{handle.id}/resume"), 202)
        assert read_result(await ended(alone_api, handle.id)) == undisturbed
