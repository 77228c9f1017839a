"""A cancel waits for a worker, unless it terminates the research."""

import logging

import httpx2
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually
from tests.support.outside.temporal_server import temporal_command
from tests.support.phases import IN_TRAINING
from tests.support.processes import compute_processes
from worker import run_workers
from workflows.policies import RESEARCH_QUEUE, WORKFLOW_QUEUES


async def cancel_without_effect(
    api: httpx2.AsyncClient, operation_id: str, status: str, child: str | None
) -> None:
    """Cancel a research, and check that the cancel is requested and the research stays active."""
    answer = accepted(await api.delete(f"/agent/cancel/{operation_id}", params={"wait": 0}))
    assert (answer["status"], answer["child_cancelled"]) == ("cancelling", child)
    shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    assert (shown["status"], shown["cancel_requested"]) == (status, True)


async def start_research_and_stop_worker(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> str:
    """Return a research whose worker stopped while the research trained."""
    async with run_workers(client, settings):
        handle = await IN_TRAINING.begin(client)

    async def none_is_listed() -> bool:
        workers: list[object] = (await api.get("/workers")).json()
        return workers == []

    await assert_eventually(none_is_listed)
    assert compute_processes() == []
    return handle.id


async def test_pending_is_cancelled_as_soon_as_a_worker_comes(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    pending = accepted(await alone_api.post("/agent/trigger", json={"trials": 5000}), 202)
    operation_id = pending["operation_id"]
    shown = accepted(await alone_api.get(f"/operations/{operation_id}"))["data"]
    assert (shown["status"], shown["phase"]) == ("pending", "queued")
    await cancel_without_effect(alone_api, operation_id, "pending", None)
    readiness = await alone_api.get("/health/ready")
    assert readiness.status_code == 503
    assert readiness.json()["workers"] == dict.fromkeys(WORKFLOW_QUEUES, 0)
    async with run_workers(alone, settings, [RESEARCH_QUEUE]):
        assert (await ended(alone_api, operation_id))["status"] == "cancelled"
    description = await alone.get_workflow_handle(operation_id).describe()
    assert description.status is WorkflowExecutionStatus.CANCELED


async def test_cancelled_while_the_worker_is_away_stops_when_it_is_back(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    operation_id = await start_research_and_stop_worker(alone_api, alone, settings)
    await cancel_without_effect(alone_api, operation_id, "running", f"{operation_id}.training")
    async with run_workers(alone, settings):
        shown = await ended(alone_api, operation_id)
    assert (shown["status"], shown["forced"]) == ("cancelled", False)
    recorded = accepted(await alone_api.get(f"/experiments/{operation_id}"))["data"]
    assert recorded["status"] == "cancelled"
    for workflow_id in (operation_id, f"{operation_id}.training"):
        description = await alone.get_workflow_handle(workflow_id).describe()
        assert description.status is WorkflowExecutionStatus.CANCELED
    assert compute_processes() == []


async def test_no_worker_is_asked_which_step_runs(
    alone_api: httpx2.AsyncClient,
    alone: Client,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation_id = await start_research_and_stop_worker(alone_api, alone, settings)
    with caplog.at_level(logging.DEBUG, "api.operations.resolver"):
        answer = accepted(await alone_api.delete(f"/agent/cancel/{operation_id}?wait=0"))
    assert answer["child_cancelled"] == f"{operation_id}.training"
    assert "does not answer the query" not in caplog.text
    await temporal_command(alone, "workflow", "terminate", "-w", operation_id)


async def test_terminated_without_a_worker_is_shown_as_cancelled_by_force(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    operation_id = await start_research_and_stop_worker(alone_api, alone, settings)
    await cancel_without_effect(alone_api, operation_id, "running", f"{operation_id}.training")
    await temporal_command(alone, "workflow", "terminate", "-w", operation_id)
    shown = await ended(alone_api, operation_id)
    assert (shown["status"], shown["forced"]) == ("cancelled", True)
    refused(await alone_api.get(f"/experiments/{operation_id}"), 404, "not_found")
