"""`python -m tests.replay.record`: record the histories that the replay tests read.

Runs each kind of research on a server of its own. Record again only when workflows that are still
running need not be continued by the changed code; otherwise the old histories have to pass.
"""

import asyncio
import os
import tempfile
from functools import partial
from pathlib import Path

from temporalio.client import Client, WorkflowHandle

from quant.messages.strategy import Costs
from quant.messages.watch import WatchState
from settings import Settings
from storage.artifacts import ArtifactStore
from temporal.converter import data_converter
from tests.llm.provider import running_provider
from tests.llm.replies import SONNET, comment, propose, score_together
from tests.replay.histories import HISTORIES, begin, finish, save, start
from tests.replay.record_campaigns import record_campaigns
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.notices import taking_notices
from tests.support.outside.temporal_server import connect, dev_server
from tests.support.phases import IN_TRAINING, STAYS
from tests.support.quant.data import (
    MANY,
    MANY_TIMEFRAME,
    write_bars,
    write_many_bars,
    write_strategies,
)
from tests.support.quant.watches import SPEC, TABLE, WatchedResearch
from worker import run_workers
from workflows.admission import Admission
from workflows.interface.admission import AdmissionRequest
from workflows.interface.contract import GOAL, PRIORITY
from workflows.interface.ids import SliceId
from workflows.interface.messages import Reproduction, ResearchInput, ResearchRequest
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research
from workflows.watch import Watch

TO_THE_END = {
    "completed": ResearchRequest(trials=2, seed=7),
    "named": ResearchRequest(strategy="quick", seed=7),
    "rejected": ResearchRequest(strategy="never-trades", seed=7),
    "bypassed": ResearchRequest(strategy="never-trades", seed=7, bypass_gates=True),
    "failed": ResearchRequest(symbol="SHORT", trials=1, seed=7),
}


async def main() -> None:
    """Record all."""
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, dev_server(Path(directory)) as address:
        await connect(address)
        # Without an identity of its own the client would write down the name of this machine.
        client = await Client.connect(address, data_converter=data_converter, identity="recorder")
        settings = _settings(Path(directory))
        async with run_workers(client, settings):
            await _record_all(client)
            await record_watches(client, settings)
            await record_proposals(client)
        await record_notices(client, settings)


def _settings(directory: Path) -> Settings:
    data, strategies = directory / "data", directory / "strategies"
    data.mkdir()
    strategies.mkdir()
    write_bars(data)
    write_many_bars(data)
    write_strategies(strategies)
    return Settings(home=directory, data_dir=data, strategy_dir=strategies, compute_slots=4)


async def _record_all(client: Client) -> None:
    for name, request in TO_THE_END.items():
        await finish(await start(client, f"research-{name}", request))
        await save(client, f"research-{name}")
    for child in ("training", "backtest"):
        await save(client, f"research-completed.{child}")
    for stay in STAYS:
        handle = await begin(client, f"research-cancelled-{stay.phase}", stay)
        await handle.cancel()
        await finish(handle)
        await save(client, handle.id)
        if stay.in_child_workflow:
            await save(client, stay.working(client, handle.id).id)
    handle = await begin(client, "research-child-cancelled", IN_TRAINING)
    await IN_TRAINING.working(client, handle.id).cancel()
    await finish(handle)
    await save(client, handle.id)
    await _record_slices(client)
    await _record_ending(client)
    await _record_continued(client)
    await _record_admission(client)
    await record_campaigns(client)


async def _record_slices(client: Client) -> None:
    """A search that is cut, to its end and cancelled with slices at work."""
    request = ResearchRequest(trials=250, seed=7)
    await finish(await start(client, "research-sliced", request))
    await save(client, "research-sliced")
    handle = await start(client, "research-cancelled-sliced", request)

    async def look() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        return len([each for each in pending if SliceId.parse(each.activity_id)]) > 1

    await assert_eventually(look, within=PATIENCE)
    await handle.cancel()
    await finish(handle)
    await save(client, handle.id)


async def record_proposals(client: Client) -> None:
    """A design by a language model, whose candidates are scored in slices, to its end."""
    async with running_provider() as provider:
        os.environ["ANTHROPIC_API_KEY"] = "none"
        os.environ["ANTHROPIC_BASE_URL"] = provider.address
        provider.replies = [score_together(*range(5, 30)), propose(14), comment("Weak.")]
        request = ResearchRequest(
            designer="llm", model=SONNET, symbol=MANY, timeframe=MANY_TIMEFRAME, trials=30, seed=7
        )
        await finish(await start(client, "research-proposed", request))
    await save(client, "research-proposed")


async def _record_ending(client: Client) -> None:
    """What keeps in its memo where it ended, as all that the API has started."""
    handle = await client.start_workflow(
        Research.run,
        ResearchInput.of(IN_TRAINING.request),
        id="research-ended-training",
        task_queue=RESEARCH_QUEUE,
        memo={GOAL: "slow", PRIORITY: 3},
    )
    await IN_TRAINING.begun(client, handle.id)
    await handle.cancel(reason="no longer needed")
    await finish(handle)
    await save(client, handle.id)
    await save(client, IN_TRAINING.working(client, handle.id).id)


async def _record_continued(client: Client) -> None:
    """What begins with something that another run has left."""
    original = client.get_workflow_handle_for(Research.run, "research-completed")
    finished = await original.query(Research.finished_steps)
    request = TO_THE_END["completed"]
    assert finished.training is not None
    for name, given in {
        "resumed": ResearchInput.of(
            request, finished.model_copy(update={"backtest": None, "assessment": None})
        ),
        "reproduced": ResearchInput(
            **request.model_dump(),
            reproduces=Reproduction(
                operation_id=original.id,
                data_hash=finished.training.data.content_hash,
                seed=finished.seed,
                spec=finished.spec,
            ),
        ),
    }.items():
        await finish(await start(client, f"research-{name}", given))
        await save(client, f"research-{name}")


async def _record_admission(client: Client) -> None:
    handle = await client.start_workflow(Admission.run, id="admission", task_queue=RESEARCH_QUEUE)
    for number in range(3):
        request = AdmissionRequest(operation_id=f"op-{number}", limit=2)
        await handle.execute_update(Admission.admit, request)
    await save(client, handle.id)
    await handle.terminate()


async def record_watches(client: Client, settings: Settings) -> None:
    """A watch that is cancelled after some looks, and one that ends because it withdraws."""
    for name, spec in {
        "cancelled": SPEC,
        "withdrawn": SPEC.model_copy(update={"costs": Costs(commission=0.05)}),
    }.items():
        store = ArtifactStore(settings.artifacts_url)
        watched = WatchedResearch(settings.data_dir, store, f"W{name}", name)
        state = WatchState(strategy=watched.strategy.model_copy(update={"spec": spec}))
        handle = await client.start_workflow(
            Watch.run, state, id=f"watch_{name}", task_queue=RESEARCH_QUEUE
        )

        async def looked(handle: WorkflowHandle[Watch, WatchState], bars: int) -> bool:
            state = await handle.query(Watch.describe)
            return state.looked_at is not None and state.summary.bars >= bars

        await assert_eventually(partial(looked, handle, 0), within=PATIENCE)
        watched.write_bars(TABLE)
        await handle.signal(Watch.look_now)
        await assert_eventually(partial(looked, handle, 1), within=PATIENCE)
        await handle.cancel()
        await finish(handle)
        await save(client, handle.id)


async def record_notices(client: Client, settings: Settings) -> None:
    """A research of whose end people are told."""
    with taking_notices() as (address, _):
        notified = settings.model_copy(update={"notify_url": f"json://{address}"})
        async with run_workers(client, notified):
            handle = await start(client, "research-told", TO_THE_END["failed"])
            await finish(handle)
            await save(client, handle.id)
            notice = f"notice_{handle.id}_{(await handle.describe()).run_id}"
            await finish(client.get_workflow_handle(notice))
            await save(client, notice, name="notice")


if __name__ == "__main__":
    asyncio.run(main())
