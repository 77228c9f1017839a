"""A search in slices: the same result whatever happens, and one cancel for all of it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import UnpauseActivityRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from api.app import create_app
from quant.messages.artifacts import Artifact
from quant.messages.record.trials import Trial
from quant.messages.steps import DesignResult
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended
from tests.support.helpers import PATIENCE, all_killed, assert_eventually, serving
from tests.support.outside.cut import FinelyCutResearch
from tests.support.phases import start
from tests.support.quant.searches import (
    LONG,
    SEARCH,
    count_computing,
    count_most_scheduled,
    count_reused,
    hold,
    list_scheduled,
    read_trials,
    search_alone,
)
from worker import run_workers


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[DesignResult, list[Trial]]:
    return search_alone(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(autouse=True)
def finely_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temporal.registrations.Research", FinelyCutResearch)


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"home": tmp_path, "compute_slots": 3})


@pytest_asyncio.fixture
async def api(alone: Client, own: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(create_app(own, alone)) as http:
        yield http


@pytest.mark.long
@pytest.mark.parametrize("slots", [1, 4])
async def test_any_number_of_slots_finds_the_same(
    alone: Client, own: Settings, slots: int, undisturbed: tuple[DesignResult, list[Trial]]
) -> None:
    own = own.model_copy(update={"compute_slots": slots})
    async with run_workers(alone, own):
        research = await start(alone, SEARCH)
        await research.result()
        finished = await research.query(FinelyCutResearch.finished_steps)
    assert (finished.design, read_trials(own, research.id)) == undisturbed
    ledger = Ledger(own.ledger_url)
    assert ledger.trials.count(undisturbed[0].data.source) == len(
        {trial.fingerprint for trial in undisturbed[1]}
    )


@pytest.mark.long
async def test_a_resumed_search_begins_with_the_first_slice_that_has_not_finished(
    alone: Client,
    own: Settings,
    api: httpx2.AsyncClient,
    undisturbed: tuple[DesignResult, list[Trial]],
) -> None:
    one_slot = own.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot):
        research = await start(alone, SEARCH)
        held, _ = await hold(alone, research, 60)
        await api.delete(f"/agent/cancel/{research.id}", params={"wait": 30})
        cancelled = await ended(api, research.id)
        assert cancelled["status"] == "cancelled"
        [design] = cancelled["children"]
        assert design["progress"]["items_processed"] == 60 - held.size
        accepted(await api.post(f"/operations/{research.id}/resume"), 202)
        assert (await ended(api, research.id))["status"] == "completed"
        assert read_trials(own, research.id) == undisturbed[1]
        resumed = alone.get_workflow_handle(research.id)
        assert min(each.first for each in await list_scheduled(resumed)) == 25
        assert await count_reused(resumed) == 36 - held.size


async def test_bars_that_changed_refuse_a_resumed_search(
    alone: Client,
    own: Settings,
    api: httpx2.AsyncClient,
    fresh_bars: Callable[[str, int], None],
) -> None:
    fresh_bars("MOVING", 1)
    async with run_workers(alone, own):
        research = await start(
            alone,
            LONG.model_copy(update={"symbol": "MOVING", "start_date": None, "end_date": None}),
        )
        await assert_eventually(lambda: count_computing(research), within=PATIENCE)
        await api.delete(f"/agent/cancel/{research.id}", params={"wait": 30})
        fresh_bars("MOVING", 2)
        accepted(await api.post(f"/operations/{research.id}/resume"), 202)
        failed = await ended(api, research.id)
    assert failed["status"] == "failed"
    assert "belong to another search: bars" in failed["error_message"]


@pytest.mark.long
async def test_a_paused_slice_holds_its_round_and_changes_nothing(
    alone: Client, own: Settings, undisturbed: tuple[DesignResult, list[Trial]]
) -> None:
    one_slot = own.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot):
        research = await start(alone, SEARCH)
        _, which = await hold(alone, research, 24)
        await alone.workflow_service.unpause_activity(UnpauseActivityRequest(**which))
        await research.result()
    assert read_trials(own, research.id) == undisturbed[1]


async def test_the_last_slices_of_a_round_are_scheduled_as_others_finish(
    alone: Client,
    own: Settings,
    undisturbed: tuple[DesignResult, list[Trial]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workflows.search.MOST_SLOTS", 4)
    async with run_workers(alone, own):
        research = await start(alone, SEARCH)
        await research.result()
    assert read_trials(own, research.id) == undisturbed[1]
    first = [each.first for each in await list_scheduled(research)]
    assert first == sorted(first) and len(first) == 15
    assert await count_most_scheduled(research) == 4


async def test_a_cancel_schedules_no_more_slices(
    alone: Client, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.search.MOST_SLOTS", 4)
    async with run_workers(alone, own):
        research = await start(alone, LONG)
        await assert_eventually(lambda: count_computing(research), within=PATIENCE)
        await research.cancel()
        with pytest.raises(WorkflowFailureError):
            await research.result()
        await all_killed()
    assert (await research.describe()).status is WorkflowExecutionStatus.CANCELED
    assert len(await list_scheduled(research)) < LONG.trials / 4


async def test_a_slice_that_fails_for_good_stops_the_others(
    alone: Client, own: Settings, api: httpx2.AsyncClient
) -> None:
    async with run_workers(alone, own):
        research = await start(alone, LONG)
        await assert_eventually(lambda: count_computing(research), within=PATIENCE)
        await ArtifactStore(own.artifacts_url).open(f"{research.id}.design").delete(Artifact.SEARCH)
        with pytest.raises(WorkflowFailureError):
            await research.result()
        await all_killed()
        failed = await ended(api, research.id)
    assert "not in the artifact store" in failed["error_message"]
    assert failed["children"][0]["status"] == "failed"


async def test_the_search_is_one_operation_with_true_progress_at_every_door(
    alone: Client, own: Settings, api: httpx2.AsyncClient
) -> None:
    async with run_workers(alone, own):
        research = await start(alone, LONG)

        async def look() -> dict[str, Any] | None:
            shown = accepted(await api.get(f"/operations/{research.id}.design"))["data"]
            counts = shown["progress"]["context"]
            full = counts.get("slices_running") == own.compute_slots
            found = "best_sharpe" in counts and shown["progress"]["items_processed"] > 0
            return shown if full and found and "slices_waiting" in counts else None

        design = await assert_eventually(look, within=PATIENCE)
        assert design is not None
        assert design["operation_type"] == "agent_design"
        progress = design["progress"]
        assert progress["items_total"] == LONG.trials
        assert 0 < progress["items_processed"] < LONG.trials
        assert progress["current_step"].startswith(f"Trial {progress['items_processed']} of 3000")
        assert (
            f"slices: {progress['context']['slices_waiting']} waiting, 3 running"
            in (progress["current_step"])
        )
        children = accepted(await api.get(f"/operations/{research.id}/children"))["data"]
        assert [each["operation_id"] for each in children] == [f"{research.id}.design"]

        async def doors_agree() -> bool:
            [row] = accepted(await api.get("/operations"))["data"]
            one = accepted(await api.get(f"/operations/{research.id}"))["data"]
            same = one["progress"]["percentage"] == row["progress_percentage"]
            return bool(same and one["progress"]["current_step"] == row["current_step"])

        await assert_eventually(doors_agree, within=PATIENCE)
        await research.cancel()
        with pytest.raises(WorkflowFailureError):
            await research.result()
        await all_killed()
