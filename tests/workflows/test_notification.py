"""People are told how a research ended, and nothing waits for them."""

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)

from settings import Settings
from storage.ledger.ledger import Ledger
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.notices import taking_notices
from tests.support.phases import start
from worker import run_workers
from workflows.interface.messages import ResearchRequest, ResearchResult
from workflows.research import Research

FAILS = ResearchRequest(symbol="SHORT", trials=1, seed=7)

Handle = WorkflowHandle[Research, ResearchResult]


async def fail(client: Client) -> Handle:
    handle = await start(client, FAILS)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    return handle


async def list_children(handle: Handle) -> list[str]:
    return [
        event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
        for event in (await handle.fetch_history()).events
        if event.HasField("child_workflow_execution_started_event_attributes")
    ]


async def test_an_end_is_told_after_its_record(alone: Client, settings: Settings) -> None:
    with taking_notices() as (address, told):
        notified = settings.model_copy(update={"notify_url": f"json://{address}"})
        async with run_workers(alone, notified):
            handle = await fail(alone)
            [notice] = await list_children(handle)
            await alone.get_workflow_handle(notice).result()

    assert [each["title"] for each in told] == ["Research on SHORT 1d: failed"]
    assert told[0]["message"].endswith(handle.id)


async def test_who_does_not_take_it_delays_neither_record_nor_end(
    alone: Client, settings: Settings
) -> None:
    with taking_notices(refusals=1_000) as (address, told):
        notified = settings.model_copy(update={"notify_url": f"json://{address}"})
        async with run_workers(alone, notified):
            handle = await fail(alone)
            experiment = Ledger(settings.ledger_url).experiments.get(handle.id)
            assert experiment is not None and experiment.status == "failed"
            [notice] = await list_children(handle)
            notification = alone.get_workflow_handle(notice)

            async def tries_again() -> bool:
                described = await notification.describe()
                assert described.status is WorkflowExecutionStatus.RUNNING
                pending = described.raw_description.pending_activities
                return [each.attempt > 1 for each in pending] == [True]

            assert await assert_eventually(tries_again, within=PATIENCE)
            await notification.terminate()
    assert not told


async def test_another_attempt_tells_only_those_who_have_not_taken_it(
    alone: Client, settings: Settings
) -> None:
    with (
        taking_notices() as (one, first),
        taking_notices() as (other, second),
        taking_notices(refusals=1) as (busy, third),
    ):
        addresses = " ".join(f"json://{each}" for each in (one, busy, other))
        notified = settings.model_copy(update={"notify_url": addresses})
        async with run_workers(alone, notified):
            handle = await fail(alone)
            [notice] = await list_children(handle)
            await alone.get_workflow_handle(notice).result()

    assert [len(told) for told in (first, second, third)] == [1, 1, 1]


async def test_without_an_address_it_costs_nothing(client: Client) -> None:
    assert await list_children(await fail(client)) == []
