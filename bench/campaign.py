"""`python -m bench.campaign [--members N]`: a campaign of researches that compute nothing.

Server, worker, API and the histories are real. The activities return at once, or stay until they
are cancelled.
"""

import argparse
import asyncio
import time
from uuid import uuid4

from temporalio.client import Client

from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, bench_stack, wait_for_end
from bench.figures import Figure, publish
from quant.messages.campaign import CampaignRecord
from workflows.campaign import Campaign
from workflows.interface.campaigns import CampaignInput, CampaignRequest
from workflows.interface.ids import make_member_id
from workflows.interface.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE

_MEMBERS = 1000
_PARALLEL = 16
_STAYING = 8
_MOST_EVENTS = 12
_SECONDS_BETWEEN_LOOKS = 0.05


async def main(members: int) -> None:
    """Measure and publish."""
    async with bench_stack(slots=2 * _PARALLEL) as bench:
        figures = [*await _conduct(bench, members), *await _cancel(bench)]
    publish("campaign", figures)


async def _conduct(bench: Bench, members: int) -> list[Figure]:
    """Run a campaign to its end. One member stays, and is cancelled."""
    seeds = [int(Plan.GO_THROUGH)] * members
    staying = max(1, members // 20)
    seeds[staying - 1] = int(Plan.STAY_IN_DESIGN)
    campaign_id = await _start(bench.client, seeds)
    began = time.perf_counter()
    await _cancel_member(bench, make_member_id(campaign_id, staying))
    await bench.client.get_workflow_handle(campaign_id).result()
    took = time.perf_counter() - began
    state = (await _read(bench.client, campaign_id)).state
    events, size, runs = await _measure_histories(bench.client, campaign_id)
    name = f"{members:,} members"
    return [
        Figure(
            f"{name}: events in the campaign's history, per member",
            "",
            events / members,
            _MOST_EVENTS,
        ),
        Figure(f"{name}: history per member", "KiB", size / members / 1024),
        Figure(f"{name}: runs", "", runs),
        Figure(f"{name}: time per member, {_PARALLEL} at once", "ms", 1000 * took / members),
        Figure(
            f"{name}, one cancelled: others that did not complete",
            "",
            members - 1 - state.completed,
            0,
        ),
        Figure(f"{name}, one cancelled: cancelled", "", state.cancelled, 1),
    ]


async def _cancel(bench: Bench) -> list[Figure]:
    """Cancel a campaign all of whose members run."""
    campaign_id = await _start(bench.client, [int(Plan.STAY_IN_DESIGN)] * _STAYING)
    members = [make_member_id(campaign_id, number) for number in range(1, _STAYING + 1)]
    for each in members:
        await bench.wait_until_idle(each, Plan.STAY_IN_DESIGN)
    began = time.perf_counter()
    answer = await bench.http.delete(f"/campaigns/{campaign_id}", params={"wait": 30})
    took = time.perf_counter() - began
    assert answer.json()["data"]["status"] == "cancelled", answer.text
    return [
        Figure(
            f"campaign with {_STAYING} running members: DELETE → all stopped", "ms", 1000 * took
        ),
        Figure("processes left", "", len(bench.compute_processes()), 0),
    ]


async def _start(client: Client, seeds: list[int]) -> str:
    request = CampaignRequest(
        name="bench",
        research=ResearchRequest(trials=1),
        seeds=tuple(seeds),
        parallel=_PARALLEL,
    )
    handle = await client.start_workflow(
        Campaign.run,
        CampaignInput(request=request),
        id=f"bench-campaign-{uuid4().hex}",
        task_queue=RESEARCH_QUEUE,
    )
    return handle.id


async def _cancel_member(bench: Bench, member_id: str) -> None:
    await bench.wait_until_idle(member_id, Plan.STAY_IN_DESIGN)
    answer = await bench.cancel(member_id)
    assert answer.is_success, answer.text
    await wait_for_end(bench.client.get_workflow_handle(member_id))


async def _read(client: Client, campaign_id: str) -> CampaignRecord:
    handle = client.get_workflow_handle(campaign_id)
    record: CampaignRecord = await handle.query(Campaign.describe_campaign)
    return record


async def _measure_histories(client: Client, campaign_id: str) -> tuple[int, int, int]:
    """Return events, bytes and number of all runs of a campaign."""
    found: dict[str, tuple[int, int]] = {}
    while True:
        async for run in client.list_workflows(f"WorkflowId = '{campaign_id}'"):
            info = (
                await client.get_workflow_handle(campaign_id, run_id=run.run_id).describe()
            ).raw_description.workflow_execution_info
            found[run.run_id] = info.history_length, info.history_size_bytes
        last = await client.get_workflow_handle(campaign_id).describe()
        if last.run_id in found:
            break
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)  # It is not listed yet.
    events, sizes = zip(*found.values(), strict=True)
    return sum(events), sum(sizes), len(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.campaign", description=__doc__)
    parser.add_argument("--members", type=int, default=_MEMBERS)
    asyncio.run(main(parser.parse_args().members))
