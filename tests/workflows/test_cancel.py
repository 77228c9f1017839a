"""A cancelled research ends as cancelled, and by then everything it started has stopped."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.exceptions import CancelledError

from quant.messages.data import DataSource
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted
from tests.support.helpers import all_killed, assert_eventually, computing, leftovers, new_id
from tests.support.outside.temporal_server import activity_started, temporal_command
from tests.support.phases import IN_BACKTEST, IN_DESIGN, IN_TRAINING, STAYS, Stay, queued, start
from tests.support.processes import compute_processes
from worker import run_workers
from workflows.interface.contract import OperationInfo, OperationStatus
from workflows.interface.messages import ResearchRequest, ResearchResult
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE
from workflows.research import Research

Handle = WorkflowHandle[Research, ResearchResult]

QUEUE_OF = {"training": TRAINING_QUEUE, "backtest": BACKTEST_QUEUE}

every_phase = pytest.mark.parametrize("stay", STAYS, ids=lambda stay: stay.phase.value)
with_many_bars = pytest.mark.usefixtures("many_bars")


async def ends_cancelled(handle: Handle) -> OperationInfo:
    """Wait for the end, which must be a cancel by the word of Temporal and of the research."""
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    info = await handle.query(Research.describe)
    assert info.status is OperationStatus.CANCELLED
    assert info.error_message is None
    return info


def status_of_steps(info: OperationInfo) -> dict[str, OperationStatus]:
    return {child.operation_id.rpartition(".")[2]: child.status for child in info.children}


@with_many_bars
@every_phase
async def test_cancelled_in_any_phase_everything_has_stopped(
    client: Client, settings: Settings, stay: Stay
) -> None:
    handle = await stay.begin(client)
    await computing(1)
    await handle.cancel()
    info = await ends_cancelled(handle)

    assert compute_processes() == []
    assert leftovers(settings.home) == []
    assert info.children[-1].operation_type is stay.step
    assert info.children[-1].status is OperationStatus.CANCELLED
    assert {child.status for child in info.children[:-1]} <= {OperationStatus.COMPLETED}
    working = await stay.working(client, handle.id).describe()
    assert working.status is WorkflowExecutionStatus.CANCELED
    experiment = Ledger(settings.ledger_url).experiments.get(handle.id)
    assert experiment is not None
    assert (experiment.status, experiment.error) == ("cancelled", None)


@with_many_bars
@pytest.mark.parametrize("stay", [IN_TRAINING, IN_BACKTEST], ids=lambda stay: stay.phase.value)
async def test_a_child_that_is_cancelled_ends_its_research_as_cancelled(
    client: Client, stay: Stay
) -> None:
    handle = await stay.begin(client)
    step = stay.working(client, handle.id)
    await temporal_command(client, "workflow", "cancel", "-w", step.id)
    info = await ends_cancelled(handle)
    assert status_of_steps(info)[step.id.rpartition(".")[2]] is OperationStatus.CANCELLED
    assert (await step.describe()).status is WorkflowExecutionStatus.CANCELED
    await all_killed()


async def test_the_temporal_command_cancels_a_research(client: Client) -> None:
    handle = await IN_TRAINING.begin(client)
    await temporal_command(client, "workflow", "cancel", "-w", handle.id)
    await ends_cancelled(handle)
    await all_killed()


async def test_a_batch_cancel_ends_all_that_match(client: Client) -> None:
    owner = new_id("owner")
    request = IN_DESIGN.request.model_copy(update={"owner": owner})
    handles = [await start(client, request) for _ in range(3)]
    for handle in handles:
        await activity_started(handle, "design")
    query = f"Owner='{owner}' AND ExecutionStatus='Running'"

    async def all_match() -> bool:
        return (await client.count_workflows(query)).count == len(handles)

    await assert_eventually(all_match)
    await temporal_command(client, "workflow", "cancel", "--query", query, "--yes")
    for handle in handles:
        await ends_cancelled(handle)
    await all_killed()


async def test_one_is_cancelled_and_the_others_finish_as_if_nothing_had_happened(
    client: Client,
) -> None:
    request = ResearchRequest(trials=2, seed=11)
    undisturbed = await (await start(client, request)).result()
    victim = await IN_TRAINING.begin(client)
    others = [await start(client, request) for _ in range(2)]
    await victim.cancel()
    await ends_cancelled(victim)
    own = {"model_path", "report_path"}
    for other in others:
        result = await other.result()
        assert result.model_dump(exclude=own) == undisturbed.model_dump(exclude=own)


async def test_pending_is_cancelled_as_soon_as_a_worker_comes(
    alone: Client, settings: Settings
) -> None:
    handle = await start(alone, ResearchRequest(trials=5000, seed=7))
    await handle.cancel()
    description = await handle.describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert description.raw_description.workflow_extended_info.cancel_requested
    async with run_workers(alone, settings, [RESEARCH_QUEUE]):
        info = await ends_cancelled(handle)
    assert info.children == []
    experiment = Ledger(settings.ledger_url).experiments.get(handle.id)
    assert experiment is not None
    assert experiment.status == "cancelled"


async def test_waiting_for_a_slot_is_cancelled_without_one(
    alone: Client, settings: Settings
) -> None:
    one_slot = settings.model_copy(update={"compute_slots": 1})
    async with run_workers(alone, one_slot, [RESEARCH_QUEUE]):
        busy = await IN_DESIGN.begin(alone)
        waiting = await start(alone, IN_DESIGN.request)
        await queued(waiting)
        await waiting.cancel()
        await ends_cancelled(waiting)
        await computing(1)
        assert (await busy.describe()).status is WorkflowExecutionStatus.RUNNING
        await busy.cancel()
        await ends_cancelled(busy)


@pytest.mark.parametrize("start_noticed", [True, False], ids=["started", "starting"])
@pytest.mark.parametrize("step", ["training", "backtest"])
async def test_a_cancel_at_a_gate_wins_over_the_result_that_the_gate_would_judge(
    alone: Client, settings: Settings, step: str, start_noticed: bool
) -> None:
    """The end of the child and the cancel wait for the research in one workflow task."""
    before = {"training": [RESEARCH_QUEUE], "backtest": [RESEARCH_QUEUE, TRAINING_QUEUE]}[step]
    async with run_workers(alone, settings, before):
        handle = await start(alone, ResearchRequest(strategy="quick", seed=7, bypass_gates=True))
        child = alone.get_workflow_handle(f"{handle.id}.{step}")

        async def child_waits_for_a_worker() -> bool:
            events = (await handle.fetch_history()).events
            begun = [
                event.child_workflow_execution_started_event_attributes.workflow_execution
                for event in events
                if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
            ]
            noticed = events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            # When it need not have been noticed, it may have been.
            return child.id in [each.workflow_id for each in begun] and (
                noticed or not start_noticed
            )

        await assert_eventually(child_waits_for_a_worker)
    async with run_workers(alone, settings, [QUEUE_OF[step]]):
        await child.result()
    await handle.cancel()
    async with run_workers(alone, settings, [RESEARCH_QUEUE]):
        info = await ends_cancelled(handle)
    # What had been finished stays finished, and nothing was begun after it.
    assert list(status_of_steps(info))[-1] == step
    assert status_of_steps(info)[step] is OperationStatus.COMPLETED
    assert (await child.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_second_cancel_does_not_disturb_the_first(
    client: Client, settings: Settings
) -> None:
    handle = await IN_DESIGN.begin(client)
    await asyncio.gather(*(handle.cancel() for _ in range(10)))
    await ends_cancelled(handle)
    assert leftovers(settings.home) == []


async def test_the_trials_of_a_cancelled_search_count(
    client: Client,
    api: httpx2.AsyncClient,
    settings: Settings,
    fresh_bars: Callable[[str, int], None],
) -> None:
    fresh_bars("CANCELLED", 9)
    handle = await start(client, ResearchRequest(symbol="CANCELLED", trials=5000, seed=7))

    async def tried() -> int:
        shown = accepted(await api.get(f"/operations/{handle.id}.design"))["data"]
        return int(shown["progress"]["items_processed"])

    seen = await assert_eventually(tried)
    await handle.cancel()
    await ends_cancelled(handle)
    bars = DataSource(symbol="CANCELLED")
    assert Ledger(settings.ledger_url).trials.count(bars) >= seen
    assert Ledger(settings.ledger_url).looks.count(bars) == 0


async def test_the_next_verdict_says_how_much_was_tried(
    client: Client, fresh_bars: Callable[[str, int], None]
) -> None:
    fresh_bars("SHARED", 10)
    counted = []
    for seed in (1, 2):
        request = ResearchRequest(
            symbol="SHARED", trials=14, seed=seed, owner=f"owner{seed}", bypass_gates=True
        )
        result = await (await start(client, request)).result()
        assert result.statistics is not None
        counted.append((result.statistics.trials_ever, result.statistics.holdout_looks))
        assert f"{counted[-1][0]} trials on these bars" in result.summary
    [(first, look), (second, next_look)] = counted
    # What every search begins with is counted once.
    assert first == 14
    assert first < second < 28
    assert (look, next_look) in {(1, 1), (1, 2)}
