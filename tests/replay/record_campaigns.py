"""Records campaigns."""

from typing import Any

from temporalio.client import Client, WorkflowHandle

from tests.replay.histories import finish, save
from tests.support.phases import IN_TRAINING
from workflows.campaign import Campaign
from workflows.interface.campaigns import CampaignBudget, CampaignInput, CampaignRequest
from workflows.interface.contract import GOAL, PRIORITY
from workflows.interface.ids import make_member_id
from workflows.interface.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE


async def record_campaigns(client: Client) -> None:
    """Campaigns with a failure, a cancelled member, a limit, generations, and a cancel."""
    quick = ResearchRequest(strategy="quick")
    handle = await _start_campaign(
        client,
        "campaign-completed",
        CampaignRequest(name="a", research=quick, symbols=("SP500", "SHORT"), seeds=(1, 2)),
        max_active=2,
    )
    await finish(handle)
    await save(client, handle.id)
    handle = await _start_campaign(
        client,
        "campaign-continued",
        CampaignRequest(
            name="b",
            research=ResearchRequest(trials=2, bypass_gates=True),
            seeds=(1, 2),
            generations=2,
            budget=CampaignBudget(hours=1.0),
        ),
        members_per_run=3,
    )
    first = (await handle.describe()).run_id
    await finish(handle)
    await save(client, handle.id, first)
    handle = await _start_campaign(
        client,
        "campaign-cancelled",
        CampaignRequest(name="c", research=IN_TRAINING.request, seeds=(1, 2, 3)),
    )
    members = [make_member_id(handle.id, number) for number in (1, 2)]
    for each in members:
        await IN_TRAINING.begun(client, each)
    await client.get_workflow_handle(members[0]).cancel()
    await finish(client.get_workflow_handle(members[0]))
    await IN_TRAINING.begun(client, make_member_id(handle.id, 3))
    await handle.cancel(reason="enough")
    await finish(handle)
    await save(client, handle.id)
    await save(client, members[1])


async def _start_campaign(
    client: Client, name: str, request: CampaignRequest, **values: Any
) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        Campaign.run,
        CampaignInput(request=request, **values),
        id=name,
        task_queue=RESEARCH_QUEUE,
        memo={GOAL: request.name, PRIORITY: 3},
    )
