"""A cancel also ends a step that does not compute: it is paused, or waits to be tried again."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from activities import jobs
from activities.research import ResearchActivities
from quant.messages.steps import DesignResult, TrainingResult
from settings import Settings
from tests.api.answers import accepted, ended
from tests.support.helpers import PATIENCE, all_killed, assert_eventually
from tests.support.outside.temporal_server import temporal_command
from tests.support.phases import IN_DESIGN, IN_SMALL_DESIGN, IN_TRAINING, Stay, start
from tests.support.processes import compute_processes
from worker import run_workers


class Busy(ResearchActivities):
    """Its steps are to be tried again in an hour."""

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult:  # noqa: ARG002
        """Fail for now."""
        raise ApplicationError("busy", next_retry_delay=timedelta(hours=1))

    @activity.defn
    async def train(self, task: jobs.TrainingTask) -> TrainingResult:  # noqa: ARG002
        """Fail for now."""
        raise ApplicationError("busy", next_retry_delay=timedelta(hours=1))


async def wait_for(api: httpx2.AsyncClient, operation_id: str, state: str) -> None:
    async def look() -> bool:
        shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
        return shown["attempt"] is not None and shown["attempt"]["state"] == state

    await assert_eventually(look, within=PATIENCE)


async def cancel(api: httpx2.AsyncClient, client: Client, research_id: str) -> dict[str, Any]:
    """Cancel a research, and check that all doors say so and nothing of it is left."""
    path = f"/agent/cancel/{research_id}"
    answer = accepted(await api.delete(path, params={"wait": 30}))
    assert answer["status"] == "cancelled"
    shown = await ended(api, research_id)
    assert (shown["status"], shown["attempt"]) == ("cancelled", None)
    rows = accepted(await api.get("/operations", params={"limit": 1000}))["data"]
    [row] = [row for row in rows if row["operation_id"] == research_id]
    assert (row["status"], row["attempt"]) == ("cancelled", None)
    description = await client.get_workflow_handle(research_id).describe()
    assert description.status is WorkflowExecutionStatus.CANCELED
    assert not description.raw_description.pending_activities
    assert not description.raw_description.pending_children
    return shown


@pytest.mark.parametrize("stay", [IN_DESIGN, IN_TRAINING], ids=lambda stay: stay.phase)
async def test_a_step_that_waits_for_its_next_attempt_is_cancelled_at_once(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings, stay: Stay
) -> None:
    async with run_workers(alone, settings, activities_class=Busy):
        research = await start(alone, stay.request)
        await wait_for(alone_api, research.id, "retrying")
        shown = await cancel(alone_api, alone, research.id)
    assert [child["status"] for child in shown["children"]] == ["cancelled"]


@pytest.mark.parametrize("stay", [IN_SMALL_DESIGN, IN_TRAINING], ids=lambda stay: stay.phase)
async def test_a_step_that_was_paused_while_it_computed_has_stopped_and_is_cancelled(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings, stay: Stay
) -> None:
    async with run_workers(alone, settings):
        research = await stay.begin(alone)
        working = stay.working(alone, research.id)
        await temporal_command(
            alone, "activity", "pause", "--workflow-id", working.id, "--activity-id", stay.activity
        )
        await wait_for(alone_api, research.id, "paused")

        async def is_idle() -> bool:
            return compute_processes() == []

        await assert_eventually(is_idle, within=PATIENCE)
        shown = await cancel(alone_api, alone, research.id)
    assert [child["status"] for child in shown["children"]] == ["cancelled"]


async def test_a_step_that_was_paused_before_it_began_is_cancelled(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    one_slot = settings.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot):
        other = await IN_DESIGN.begin(alone)
        research = await start(alone, IN_DESIGN.request)
        await wait_for(alone_api, research.id, "waiting")
        await temporal_command(
            alone, "activity", "pause", "--workflow-id", research.id, "--activity-id", "design"
        )
        await wait_for(alone_api, research.id, "paused")
        await cancel(alone_api, alone, research.id)
        assert len(compute_processes()) == 1
        await wait_for(alone_api, other.id, "running")
        await cancel(alone_api, alone, other.id)
        await all_killed()
