"""Whatever is killed or restarted, the work continues where it was."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from api.agent.workers import QUEUE_NAME, WorkerList
from api.app import create_app
from quant.bars.loader import load_bars
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.progress import Progress
from quant.messages.steps import TrainingInput, TrainingResult
from quant.strategy.files import load_strategy
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import (
    KTRDR,
    PATIENCE,
    ROOT,
    assert_eventually,
    environment,
    free_port,
    new_id,
    process,
    said,
    serving,
    until_ready,
    worker_process,
)
from tests.support.outside.temporal_server import (
    activity_started,
    connect,
    dev_server,
    temporal_command,
)
from tests.support.phases import start
from tests.support.processes import children_with, compute_processes, kill
from tests.support.quant.data import STRATEGIES
from workflows.interface.messages import ResearchRequest
from workflows.policies import TRAINING_QUEUE
from workflows.training import Training

pytestmark = pytest.mark.long

Handle = WorkflowHandle[Training, TrainingResult]

# More than the ten that a supervisor allows, because other tests run at the same time.
GRACE_SECONDS = 60

# Training takes some seconds, so that there is time for a checkpoint.
STEADY = ResearchRequest(strategy="steady", seed=7)


async def start_training(client: Client, settings: Settings) -> Handle:
    request = TrainingInput(
        data=DataSource(), spec=load_strategy("steady", settings.strategy_dir), seed=7
    )
    return await client.start_workflow(
        Training.run, request, id=new_id("op_training_test"), task_queue=TRAINING_QUEUE
    )


@pytest_asyncio.fixture(scope="module")
async def undisturbed(client: Client, settings: Settings) -> TrainingResult:
    """What the training comes to if nothing happens to it."""
    return await (await start_training(client, settings)).result()


def without_history(result: TrainingResult) -> dict[str, Any]:
    return result.model_dump(exclude={"resumed_from_iteration"})


async def checkpointed(settings: Settings, handle: Handle) -> float:
    """Wait for a checkpoint, and return how far it is, in per cent of the whole training."""

    async def look() -> float:
        content = ArtifactStore(settings.artifacts_url).open(handle.id).read(Artifact.CHECKPOINT)
        assert content is not None, "no checkpoint yet"
        state = json.loads(json.loads(content)["state"])
        done = len(state["folds"]) + state["iteration"] / STRATEGIES["steady"]["iterations"]
        # Rounded down, because it is compared with a sum that was made in another order.
        return float(int(1e6 * 100 * done / 6) / 1e6)

    return await assert_eventually(look, within=PATIENCE)


async def last_heartbeat(client: Client, handle: Handle) -> Progress | None:
    """Return what the attempts have reported last; it outlives the attempt that reported it."""
    pending = (await handle.describe()).raw_description.pending_activities
    assert len(pending) == 1
    payloads = pending[0].heartbeat_details.payloads
    if not payloads:
        return None
    [progress] = await client.data_converter.decode(payloads, [Progress])
    assert isinstance(progress, Progress)
    return progress


async def next_report(client: Client, handle: Handle, last: Progress | None) -> Progress:
    """Wait for the first thing that the next attempt reports about its work."""

    async def look() -> Progress:
        progress = await last_heartbeat(client, handle)
        assert progress is not None
        assert progress != last
        assert progress.current_step, "begun, but not at work"
        return progress

    return await assert_eventually(look, within=PATIENCE)


async def test_training_continues_from_its_checkpoint_after_its_worker_was_killed(
    alone: Client, settings: Settings, undisturbed: TrainingResult
) -> None:
    with worker_process(alone, settings) as worker:
        handle = await start_training(alone, settings)
        checkpoint = await checkpointed(settings, handle)
        computing = compute_processes(worker.pid)
        assert len(computing) == 1
        kill(worker.pid)
        _, alive = await asyncio.to_thread(psutil.wait_procs, computing, timeout=30)
        assert alive == []
    last = await last_heartbeat(alone, handle)
    with worker_process(alone, settings) as worker:
        assert (await next_report(alone, handle, last)).percentage >= checkpoint
        result = await handle.result()
        assert without_history(result) == without_history(undisturbed)
        assert compute_processes(worker.pid) == []

        async def only_the_new_one_is_there() -> bool:
            listed = [each.worker_type for each in await WorkerList(alone).read()]
            counted = await WorkerList(alone).count()
            return sorted(listed) == sorted(QUEUE_NAME.values()) and set(counted.values()) == {1}

        await assert_eventually(only_the_new_one_is_there, within=PATIENCE)


async def test_a_search_whose_worker_is_killed_has_counted_what_it_has_tried(
    alone: Client, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    ledger = Ledger(settings.ledger_url)
    source = load_bars(DataSource(), None).describe().source
    with worker_process(alone, settings) as worker:
        handle = await start(alone, ResearchRequest(trials=10_000, seed=7))

        async def tried() -> int:
            """Return how many trials the slices that compute have reported."""
            made = 0
            for pending in (await handle.describe()).raw_description.pending_activities:
                if said := pending.heartbeat_details.payloads:
                    [progress] = await alone.data_converter.decode(said, [Progress])
                    assert isinstance(progress, Progress)
                    made += progress.items_processed
            return made

        made = await assert_eventually(tried, within=PATIENCE)

        async def counted() -> bool:
            return ledger.trials.count(source) >= made

        await assert_eventually(counted, within=10)
        kill(worker.pid)
    assert ledger.trials.count(source) >= made
    ledger.close()


async def test_a_worker_that_is_told_to_stop_stops_and_another_one_finishes_its_work(
    alone: Client, settings: Settings, undisturbed: TrainingResult
) -> None:
    with worker_process(alone, settings) as worker:
        handle = await start(alone, STEADY)
        training = alone.get_workflow_handle(f"{handle.id}.training", result_type=TrainingResult)
        await activity_started(training, "train")
        checkpoint = await checkpointed(settings, training)
        children = psutil.Process(worker.pid).children(recursive=True)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, GRACE_SECONDS) == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=30)
        assert alive == []
    last = await last_heartbeat(alone, training)
    with worker_process(alone, settings):
        assert (await next_report(alone, training, last)).percentage >= checkpoint
        result = await handle.result()
        assert result.model_sha256 == undisturbed.model_sha256


async def test_an_idle_worker_stops_on_sigterm(alone: Client, settings: Settings) -> None:
    with worker_process(alone, settings) as worker:
        # It has answered once, so it is up.
        handle = await start(alone, ResearchRequest(strategy="never-trades", seed=7))
        await handle.result()
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, GRACE_SECONDS) == 0


async def test_the_api_may_be_restarted_at_any_time(client: Client, settings: Settings) -> None:
    own = settings.model_copy(update={"api_port": free_port()})
    variables = {**environment(client, own), "KTRDR_API_PORT": str(own.api_port)}
    command = [sys.executable, "-m", "api"]

    async with (
        httpx2.AsyncClient(base_url=own.api_url, timeout=60) as http,
        AsyncExitStack() as following,
    ):
        with process(command, cwd=ROOT, env=variables) as api:
            await until_ready(http)
            body = {"strategy": "slow", "seed": 7}
            started = accepted(await http.post("/agent/trigger", json=body), 202)
            operation_id = started["operation_id"]
            follower = following.enter_context(
                process([KTRDR, "follow", operation_id], env=variables, stderr=subprocess.PIPE)
            )
            await said(follower, "training")
            kill(api.pid)
        with process(command, cwd=ROOT, env=variables) as api:
            await until_ready(http)
            shown = accepted(await http.get(f"/operations/{operation_id}"))["data"]
            assert shown["status"] == "running"
            answer = await http.delete(f"/agent/cancel/{operation_id}", params={"wait": 30})
            assert accepted(answer)["status"] == "cancelled"
            assert await asyncio.to_thread(follower.wait, 90) == 0
            api.send_signal(signal.SIGTERM)
            await asyncio.to_thread(api.wait, GRACE_SECONDS)
    status = (await client.get_workflow_handle(operation_id).describe()).status
    assert status is WorkflowExecutionStatus.CANCELED


async def test_temporal_may_be_killed_and_restarted_while_a_research_runs(
    settings: Settings, tmp_path: Path
) -> None:
    port = free_port()
    with dev_server(tmp_path, port) as address:
        client = await connect(address)
        with worker_process(client, settings) as worker:
            async with serving(create_app(settings, client)) as api:
                before = await start(client, ResearchRequest(strategy="never-trades", seed=7))
                assert (await ended(api, before.id))["status"] == "completed"
                handle = await start(client, STEADY)
                await activity_started(client.get_workflow_handle(f"{handle.id}.training"), "train")
                [server] = children_with(str(port), os.getpid())
                kill(server.pid)
                await asyncio.to_thread(server.wait)

                shown = await api.get(f"/operations/{handle.id}")
                refused(shown, 503, "temporal_unavailable")
                readiness = await api.get("/health/ready")
                assert readiness.status_code == 503
                missing = {"ready": False, "temporal": False, "workers": {}}
                assert readiness.json() == missing | {"ledger": True}
                with pytest.raises(AssertionError, match="connection refused"):
                    await temporal_command(client, "operator", "cluster", "health")

                with dev_server(tmp_path, port):
                    await until_ready(api)
                    assert "SERVING" in await temporal_command(
                        client, "operator", "cluster", "health"
                    )
                    assert (await ended(api, handle.id))["status"] == "completed"
                    assert (await ended(api, before.id))["status"] == "completed"
                    assert worker.poll() is None
