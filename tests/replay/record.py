"""`python -m tests.replay.record`: record the histories that the replay tests read.

Runs each kind of research on a server of its own. Record again only when workflows that are still
running need not be continued by the changed code; otherwise the old histories have to pass.
"""

import asyncio
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from settings import Settings
from temporal.converter import data_converter
from tests.support.data import write_bars, write_many_bars, write_strategies
from tests.support.phases import IN_TRAINING, STAYS, Stay
from tests.support.temporal_server import connect, dev_server
from worker import run_workers
from workflows.admission import Admission
from workflows.contract import GOAL, PRIORITY
from workflows.messages import AdmissionRequest, Reproduction, ResearchInput, ResearchRequest
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

HISTORIES = Path(__file__).parent / "histories"

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
        async with run_workers(client, _settings(Path(directory))):
            await _record_all(client)


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
        await _finish(await _start(client, f"research-{name}", request))
        await _save(client, f"research-{name}")
    for child in ("training", "backtest"):
        await _save(client, f"research-completed.{child}")
    for stay in STAYS:
        handle = await _begin(client, f"research-cancelled-{stay.phase}", stay)
        await handle.cancel()
        await _finish(handle)
        await _save(client, handle.id)
        if stay.in_child_workflow:
            await _save(client, stay.working(client, handle.id).id)
    handle = await _begin(client, "research-child-cancelled", IN_TRAINING)
    await IN_TRAINING.working(client, handle.id).cancel()
    await _finish(handle)
    await _save(client, handle.id)
    await _record_ending(client)
    await _record_continued(client)
    await _record_admission(client)


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
    await _finish(handle)
    await _save(client, handle.id)
    await _save(client, IN_TRAINING.working(client, handle.id).id)


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
        await _finish(await _start(client, f"research-{name}", given))
        await _save(client, f"research-{name}")


async def _record_admission(client: Client) -> None:
    handle = await client.start_workflow(Admission.run, id="admission", task_queue=RESEARCH_QUEUE)
    for number in range(3):
        request = AdmissionRequest(operation_id=f"op-{number}", limit=2)
        await handle.execute_update(Admission.admit, request)
    await _save(client, handle.id)
    await handle.terminate()


async def _begin(client: Client, name: str, stay: Stay) -> WorkflowHandle[Any, Any]:
    handle = await _start(client, name, stay.request)
    await stay.begun(client, name)
    return handle


async def _start(client: Client, name: str, request: ResearchRequest) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        Research.run, ResearchInput.of(request), id=name, task_queue=RESEARCH_QUEUE
    )


async def _finish(handle: WorkflowHandle[Any, Any]) -> None:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()


async def _save(client: Client, workflow_id: str) -> None:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    content = json.loads(history.to_json(), object_hook=_without_traces)
    (HISTORIES / f"{workflow_id}.json").write_text(json.dumps(content) + "\n")


def _without_traces(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only says where the code was."""
    return {name: value for name, value in content.items() if name != "stackTrace"}


if __name__ == "__main__":
    asyncio.run(main())
