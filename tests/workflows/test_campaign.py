"""A campaign: members run a few at a time, and what happens to one happens to no other."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from bench.calibration import series
from quant.messages.campaign import CampaignRecord, CampaignResult
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.support.helpers import PATIENCE, assert_eventually, new_id, worker_process
from tests.support.phases import IN_DESIGN
from worker import run_workers
from workflows.campaign import Campaign
from workflows.interface.campaigns import CampaignBudget, CampaignInput, CampaignRequest
from workflows.interface.ids import make_member_id
from workflows.interface.messages import FinishedSteps, ResearchInput, ResearchRequest
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

QUICK = ResearchRequest(strategy="quick")
NAME = "test"


def request(**values: Any) -> CampaignRequest:
    given: dict[str, Any] = {"name": NAME, "research": QUICK, "seeds": (1, 2, 3), "parallel": 2}
    return CampaignRequest(**(given | values))


async def begin(
    client: Client, asked: CampaignRequest, **values: Any
) -> WorkflowHandle[Campaign, CampaignResult]:
    return await client.start_workflow(
        Campaign.run,
        CampaignInput(request=asked, **values),
        id=new_id("op_campaign"),
        task_queue=RESEARCH_QUEUE,
    )


async def list_runs(client: Client, campaign_id: str) -> list[str]:
    query = f"WorkflowId = '{campaign_id}'"
    return [each.run_id async for each in client.list_workflows(query)]


async def end_of(client: Client, member_id: str) -> WorkflowExecutionStatus | None:
    return (await client.get_workflow_handle(member_id).describe()).status


async def wait_for_member(client: Client, campaign: WorkflowHandle[Any, Any], number: int) -> str:
    """Wait until a member computes, and return its id."""
    member_id = make_member_id(campaign.id, number)
    await IN_DESIGN.begun(client, member_id)
    return member_id


async def test_every_combination_is_a_research_with_an_id_of_its_own(client: Client) -> None:
    campaign = await begin(
        client,
        request(strategies=("quick", "never-trades"), research=ResearchRequest(), seeds=(1, 2)),
    )
    result = await campaign.result()
    assert (result.members, result.state.begun, result.state.completed) == (4, 4, 4)
    assert sum(result.state.verdicts.values()) == 4
    for number in range(1, 5):
        member = client.get_workflow_handle(make_member_id(campaign.id, number))
        found = await member.result()
        assert found["strategy_name"] == ("quick" if number % 2 else "never-trades")
        assert found["seed"] == (number + 1) // 2


async def test_the_failure_of_a_member_is_a_row(client: Client) -> None:
    campaign = await begin(client, request(symbols=("SHORT", "SP500"), seeds=(1,), research=QUICK))
    state = (await campaign.result()).state
    assert (state.failed, state.completed) == (1, 1)
    [failure] = state.failures
    assert failure.operation_id == make_member_id(campaign.id, 1)
    assert "SHORT" in failure.error


async def test_it_continues_as_new_and_forgets_nothing(client: Client) -> None:
    campaign = await begin(client, request(), members_per_run=1)
    state = (await campaign.result()).state
    assert (state.begun, state.completed, state.trials) == (3, 3, 3)

    async def count() -> bool:
        return len(await list_runs(client, campaign.id)) == 3

    await assert_eventually(count)


@pytest.mark.parametrize(
    ("budget", "begun", "reason"),
    [
        (CampaignBudget(researches=2), 2, "researches"),
        (CampaignBudget(trials=3), 3, None),
        (CampaignBudget(trials=1), 1, "trials"),
    ],
)
async def test_nothing_begins_for_which_the_budget_has_no_room(
    client: Client, budget: CampaignBudget, begun: int, reason: str | None
) -> None:
    campaign = await begin(client, request(budget=budget))
    state = (await campaign.result()).state
    assert (state.begun, state.completed, state.stopped_by) == (begun, begun, reason)


async def test_the_first_promising_member_stops_the_others(client: Client, data_dir: Path) -> None:
    series.planted("momentum", 5.0, seed=1).to_csv(data_dir / "PLANTED.csv", index=False)
    planted = ResearchRequest(symbol="PLANTED", trials=12)
    campaign = await begin(client, request(research=planted, parallel=1, stop_when="promising"))
    state = (await campaign.result()).state
    assert (state.begun, state.verdicts, state.stopped_by) == (1, {"promising": 1}, "promising")
    assert state.promising == (make_member_id(campaign.id, 1),)


async def test_when_the_time_is_over_members_stop(client: Client) -> None:
    campaign = await begin(
        client, request(research=IN_DESIGN.request, budget=CampaignBudget(hours=4 / 3600))
    )
    state = (await campaign.result()).state
    assert (state.begun, state.cancelled, state.stopped_by) == (2, 2, "hours")


async def test_a_cancelled_member_leaves_the_others_alone(client: Client) -> None:
    campaign = await begin(client, request(research=IN_DESIGN.request, seeds=(1, 2)))
    first, second = [await wait_for_member(client, campaign, number) for number in (1, 2)]
    await client.get_workflow_handle(first).cancel()
    with pytest.raises(WorkflowFailureError):
        await client.get_workflow_handle(first).result()

    async def counted() -> bool:
        record = await campaign.query(Campaign.describe_campaign)
        return record.state.cancelled == 1

    await assert_eventually(counted)
    assert await end_of(client, second) is WorkflowExecutionStatus.RUNNING
    await campaign.cancel()
    with pytest.raises(WorkflowFailureError):
        await campaign.result()


async def test_a_cancelled_campaign_ends_when_all_members_have_stopped(client: Client) -> None:
    campaign = await begin(client, request(research=IN_DESIGN.request, seeds=(1, 2, 3)))
    members = [await wait_for_member(client, campaign, number) for number in (1, 2)]
    await campaign.cancel(reason="enough")
    with pytest.raises(WorkflowFailureError):
        await campaign.result()
    ends = Counter([await end_of(client, each) for each in [campaign.id, *members]])
    assert ends == {WorkflowExecutionStatus.CANCELED: 3}
    record: CampaignRecord = await campaign.query(Campaign.describe_campaign)
    assert (record.state.cancelled, record.state.begun, record.status) == (2, 2, "cancelled")


async def test_members_wait_until_fewer_researches_are_active(alone: Client, settings: Any) -> None:

    async with run_workers(alone, settings):
        campaign = await begin(alone, request(seeds=(1, 2)), max_active=1)
        state = (await campaign.result()).state
        assert state.completed == 2
        spans = []
        for number in (1, 2):
            described = await alone.get_workflow_handle(
                make_member_id(campaign.id, number)
            ).describe()
            assert described.close_time is not None
            spans.append((described.start_time, described.close_time))
    spans.sort()
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


async def test_the_next_generation_searches_among_what_the_better_half_has_found(
    client: Client,
) -> None:
    searched = ResearchRequest(trials=2, bypass_gates=True)
    campaign = await begin(
        client, request(research=searched, seeds=(1, 2), generations=2), members_per_run=3
    )
    state = (await campaign.result()).state
    assert (state.begun, state.completed, state.generation) == (4, 4, 2)
    parents = [await found_features(client, campaign.id, number) for number in (1, 2)]
    for number in (3, 4):
        member = client.get_workflow_handle(make_member_id(campaign.id, number))
        [given] = (
            await anext(member.fetch_history_events())
        ).workflow_execution_started_event_attributes.input.payloads
        [asked] = await client.data_converter.decode([given], [ResearchInput])
        assert asked.features
        # One may have been dropped, and one added.
        assert any(
            len(set(asked.features) - set(each)) <= 1 for each in (*parents, sum(parents, ()))
        )


async def found_features(client: Client, campaign_id: str, number: int) -> tuple[str, ...]:
    member = client.get_workflow_handle(make_member_id(campaign_id, number))
    finished: FinishedSteps = await member.query(Research.finished_steps)
    assert finished.spec is not None
    return tuple({feature.kind for feature in finished.spec.features})


@pytest.mark.long
async def test_it_goes_on_after_its_worker_was_killed(alone: Client, settings: Settings) -> None:
    campaign = await begin(alone, request(seeds=tuple(range(12)), parallel=3), members_per_run=5)

    async def some_have_ended() -> bool:
        record = await campaign.query(Campaign.describe_campaign)
        return record.state.completed >= 2

    with worker_process(alone, settings) as worker:
        await assert_eventually(some_have_ended, within=PATIENCE)
        worker.kill()
        worker.wait()
    with worker_process(alone, settings):
        state = (await campaign.result()).state
    assert (state.begun, state.completed, state.failed) == (12, 12, 0)
    ledger = Ledger(settings.ledger_url)
    ids = [make_member_id(campaign.id, number) for number in range(1, 13)]
    assert all(ledger.experiments.get(each) for each in ids)
    ledger.close()
