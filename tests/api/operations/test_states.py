"""Waiting, retrying, paused and running are four different things, in every answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import jobs
from activities.research import ResearchActivities
from quant.messages.steps import DesignResult
from settings import Settings
from tests.api.answers import accepted, ended
from tests.support.helpers import assert_eventually, looks_like_a_stack_trace
from tests.support.outside.temporal_server import temporal_command
from tests.support.phases import IN_DESIGN, IN_SMALL_DESIGN, IN_TRAINING, start
from worker import run_workers
from workflows.interface.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE

BUSY = "the provider answered with status 429"


class BusyProvider(ResearchActivities):
    """Fails as with a provider that asks to come back in an hour, with a long story behind it."""

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult:  # noqa: ARG002
        """Fail."""
        raise ApplicationError(BUSY, next_retry_delay=timedelta(hours=1)) from _tell(20)


class Unlucky(ResearchActivities):
    """Its designs fail with an error that has no message."""

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult:  # noqa: ARG002
        """Fail."""
        raise ApplicationError("", type="Unlucky", non_retryable=True)


class Verbose(ResearchActivities):
    """Its designs fail with an endless message."""

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult:  # noqa: ARG002
        """Fail."""
        raise ApplicationError("äö" * 50_000, non_retryable=True)


def _tell(causes: int) -> Exception:
    """Return a long error with a long chain of causes. The root cause is what the user reads."""
    error = Exception(BUSY)
    for number in range(causes):
        try:
            raise RuntimeError(f"{number} " + "blah " * 500) from error
        except RuntimeError as raised:
            error = raised
    return error


async def read(api: httpx2.AsyncClient, operation_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an operation and its row, which say the same."""
    shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    rows = accepted(await api.get("/operations", params={"limit": 1000}))["data"]
    [row] = [row for row in rows if row["operation_id"] == operation_id]
    assert row["attempt"] == shown["attempt"]
    if shown["attempt"] is None or shown["attempt"]["state"] != "running":
        assert row["current_step"] == shown["progress"]["current_step"]
    return shown, row


async def wait_for(
    api: httpx2.AsyncClient, operation_id: str, state: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    async def look() -> tuple[dict[str, Any], dict[str, Any]]:
        shown, row = await read(api, operation_id)
        assert shown["attempt"] is not None and shown["attempt"]["state"] == state, shown
        return shown, row

    return await assert_eventually(look)


async def read_load(api: httpx2.AsyncClient, step: str) -> dict[str, int]:
    load: dict[str, int] = accepted(await api.get("/agent/status"))["workers"][step]
    return {name: count for name, count in load.items() if count and name != "total"}


async def test_a_step_that_waits_for_its_next_attempt_says_why_and_until_when(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings, activities_class=BusyProvider):
        handle = await start(alone, ResearchRequest(trials=2, seed=7))
        shown, _ = await wait_for(alone_api, handle.id, "retrying")
        attempt = shown["attempt"]
        due = datetime.fromisoformat(attempt["next_attempt_at"])
        assert timedelta(minutes=50) < due - datetime.now(UTC) < timedelta(minutes=61)
        assert attempt["last_error"] == BUSY
        assert BUSY in shown["progress"]["current_step"]
        assert "Retrying at" in shown["progress"]["current_step"]
        assert shown["status"] == "running"
        step = accepted(await alone_api.get(f"/operations/{handle.id}.design"))["data"]
        assert step["attempt"] == attempt
        assert await read_load(alone_api, "agent_design") == {"retrying": 1}
        # What Temporal's own doors show.
        described = await temporal_command(alone, "workflow", "describe", "-w", handle.id)
        assert BUSY in described
        assert "exceeds size limit" not in described


async def test_a_step_that_waits_for_a_slot_is_not_one_that_runs(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    one_slot = settings.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot, [RESEARCH_QUEUE]):
        running = await IN_DESIGN.begin(alone)
        waiting = await start(alone, IN_DESIGN.request)
        shown, _ = await wait_for(alone_api, waiting.id, "waiting")
        assert shown["progress"]["current_step"].endswith("Waiting for a free worker")
        assert shown["step_seconds_left"] is None
        shown, _ = await wait_for(alone_api, running.id, "running")
        assert "Waiting" not in shown["progress"]["current_step"]
        assert await read_load(alone_api, "agent_design") == {"busy": 1, "waiting": 1}
        assert await read_load(alone_api, "agent_assessment") == {}


async def test_a_step_without_any_worker_waits(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings, [RESEARCH_QUEUE]):
        handle = await start(alone, IN_TRAINING.request)
        shown, _ = await wait_for(alone_api, handle.id, "waiting")
        assert shown["status"] == "running"
        assert shown["progress"]["current_step"] == "Training model... Waiting for a worker"
        step, row = await read(alone_api, f"{handle.id}.training")
        assert step["status"] == row["status"] == "pending"
        pending = accepted(await alone_api.get("/operations", params={"status": "pending"}))
        assert [row["operation_id"] for row in pending["data"]] == [f"{handle.id}.training"]


async def test_a_paused_step_is_shown_as_paused_and_runs_on_afterwards(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings):
        handle = await IN_SMALL_DESIGN.begin(alone)
        step = ("--workflow-id", handle.id, "--activity-id", "design")
        await temporal_command(alone, "activity", "pause", *step)
        shown, _ = await wait_for(alone_api, handle.id, "paused")
        assert shown["progress"]["current_step"].endswith("Paused")
        assert shown["attempt"]["last_error"] is None
        assert await read_load(alone_api, "agent_design") == {"paused": 1}
        await temporal_command(alone, "activity", "unpause", *step)
        await wait_for(alone_api, handle.id, "running")


async def test_a_failed_step_always_says_why(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings, activities_class=Unlucky):
        handle = await start(alone, ResearchRequest(trials=2, seed=7))
        shown = await ended(alone_api, handle.id)
        step = accepted(await alone_api.get(f"/operations/{handle.id}.design"))["data"]
    assert shown["status"] == step["status"] == "failed"
    assert shown["error_message"] == step["error_message"] == "Unlucky"
    assert shown["progress"]["percentage"] == 5.0


async def test_a_long_failure_is_cut_and_ends_readably(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings, activities_class=Verbose):
        handle = await start(alone, ResearchRequest(trials=2, seed=7))
        shown = await ended(alone_api, handle.id)
    assert shown["error_message"].startswith("äöäö")
    assert len(shown["error_message"].encode()) < 2000
    assert not looks_like_a_stack_trace(shown["error_message"])
