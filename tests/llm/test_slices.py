"""Many candidates of one answer are scored in slices, and nothing else changes by that."""

from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from activities.research import ResearchActivities
from api.app import create_app
from quant.messages.artifacts import Artifact
from quant.messages.record.trials import TRIAL_LIST, Trial
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended
from tests.llm.provider import Provider
from tests.llm.replies import SONNET, comment, design_task, found, propose, score, score_together
from tests.support.helpers import all_killed, serving
from tests.support.outside.cut import FinelyCutResearch
from tests.support.phases import start
from tests.support.quant.searches import count_reused, hold, list_scheduled, read_trials
from worker import run_workers
from workflows.interface.messages import ResearchRequest

ASKED = ResearchRequest(designer="llm", model=SONNET, seed=7, trials=25, bypass_gates=True)

# With a plan that cuts finely, these are seven slices. One more candidate is none.
TOGETHER = range(5, 45, 2)
CONVERSATION = [score_together(*TOGETHER), score(50), propose(15)]


@pytest.fixture(autouse=True)
def finely_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temporal.registrations.Research", FinelyCutResearch)


@pytest.fixture
def several_slots(own_settings: Settings) -> Settings:
    return own_settings.model_copy(update={"compute_slots": 3})


async def list_activities(handle: WorkflowHandle[Any, Any], name: str) -> list[str]:
    """Return the ids of all activities of this type that a research has scheduled."""
    events = (await handle.fetch_history()).events
    scheduled = (each.activity_task_scheduled_event_attributes for each in events)
    return [each.activity_id for each in scheduled if each.activity_type.name == name]


async def score_alone(
    activities: ResearchActivities, environment: ActivityEnvironment, settings: Settings
) -> list[Trial]:
    """Return the trials of the same conversation if one activity scores all of them."""
    task = design_task(trials=25)
    found(await environment.run(activities.design, task))
    artifacts = ArtifactStore(settings.artifacts_url).open(task.operation_id)
    return TRIAL_LIST.validate_json(artifacts.read(Artifact.TRIALS) or b"[]")


async def test_slices_score_what_one_activity_scores(
    provider: Provider,
    alone: Client,
    several_slots: Settings,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    ledger: Ledger,
) -> None:
    provider.replies = list(CONVERSATION)
    expected = await score_alone(activities, environment, several_slots)
    told = provider.requests[2]["messages"]
    assert len(expected) == len(TOGETHER) + 1

    provider.requests.clear()
    provider.replies = [*CONVERSATION, comment("Weak.")]
    async with run_workers(alone, several_slots):
        research = await start(alone, ASKED)
        await research.result()
        finished = await research.query(FinelyCutResearch.finished_steps)
    assert read_trials(several_slots, research.id) == expected
    assert finished.design is not None
    assert (finished.design.spec.name, finished.design.trials) == ("rsi-15", len(TOGETHER) + 1)
    assert ledger.trials.count(finished.design.data.source) == len(TOGETHER) + 1
    slices = await list_scheduled(research)
    assert [each.first for each in slices] == [1, 4, 7, 10, 13, 16, 19]
    assert await list_activities(research, "design") == ["design", "design"]
    # The model is asked the same as without slices, and no answer is paid for twice.
    assert len(provider.requests) == 4
    assert _leave_ids_out(provider.requests[2]["messages"]) == _leave_ids_out(told)


def _leave_ids_out(content: Any) -> Any:
    """Return what a model was told, without the ids of its calls."""
    if isinstance(content, list):
        return [_leave_ids_out(each) for each in content]
    if isinstance(content, dict):
        names = {"id", "tool_use_id"}
        return {name: _leave_ids_out(each) for name, each in content.items() if name not in names}
    return content


async def test_a_resume_scores_nothing_and_asks_nothing_twice(
    provider: Provider, alone: Client, several_slots: Settings
) -> None:
    provider.replies = list(CONVERSATION[:1])
    one_slot = several_slots.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot), serving(create_app(one_slot, alone)) as api:
        research = await start(alone, ASKED)
        held, _ = await hold(alone, research, len(TOGETHER))
        scored = len(TOGETHER) - held.size
        await api.delete(f"/agent/cancel/{research.id}", params={"wait": 30})
        cancelled = await ended(api, research.id)
        assert cancelled["status"] == "cancelled"
        await all_killed()
        [design] = cancelled["children"]
        progress = design["progress"]
        assert (progress["items_processed"], progress["items_total"]) == (scored, 25)
        provider.replies = [*CONVERSATION[1:], comment("Weak.")]
        accepted(await api.post(f"/operations/{research.id}/resume"), 202)
        assert (await ended(api, research.id))["status"] == "completed"
    resumed = alone.get_workflow_handle(research.id)
    assert await count_reused(resumed) == scored
    assert len(read_trials(one_slot, research.id)) == len(TOGETHER) + 1
    assert len(provider.requests) == 4


async def test_a_history_that_is_long_takes_no_candidates_over(
    provider: Provider,
    alone: Client,
    several_slots: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workflows.search._MOST_EVENTS", 0)
    provider.replies = [*CONVERSATION, comment("Weak.")]
    async with run_workers(alone, several_slots):
        research = await start(alone, ASKED)
        await research.result()
    assert await list_scheduled(research) == []
    assert len(read_trials(several_slots, research.id)) == len(TOGETHER) + 1
