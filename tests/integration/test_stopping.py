"""A process that was told to stop is gone in time, whatever its workflows do."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from settings import Settings
from tests.helpers import ROOT, assert_eventually, environment, new_id, process, worker_process
from tests.integration.stubborn_worker import STOP_SECONDS, STUBBORN_QUEUE
from tests.integration.stubborn_workflows import Busy, Interrupted, Stubborn
from tests.phases import IN_TRAINING
from tests.processes import compute_processes


async def begun(client: Client, workflow: Callable[..., object]) -> str:
    """Start a workflow, and return its id when a worker is at it."""
    handle = await client.start_workflow(
        workflow.__name__, id=new_id("refusing"), task_queue=STUBBORN_QUEUE
    )

    async def at_work() -> bool:
        events = (await handle.fetch_history()).events
        return events[-1].event_type >= EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED

    await assert_eventually(at_work)
    return handle.id


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize("workflow", [Stubborn, Interrupted, Busy])
async def test_a_worker_is_gone_in_time_though_a_workflow_cannot_be_evicted(
    alone: Client, settings: Settings, tmp_path: Path, workflow: type
) -> None:
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "tests.integration.stubborn_worker"]
    with (
        log.open("wb") as output,
        process(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env=environment(alone, settings),
        ) as worker,
    ):
        await IN_TRAINING.begin(alone)
        computing = compute_processes(worker.pid)
        assert computing
        workflow_id = await begun(alone, workflow)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS + 5) == 1
    assert not [each for each in computing if each.is_running()]
    said = log.read_text()
    assert f"{workflow.__name__} {workflow_id} refuses to stop" in said
    assert "stubborn_workflows.py" in said.partition("refuses to stop")[2]


async def test_a_worker_that_nothing_keeps_ends_by_itself(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with worker_process(alone, settings, log=log) as worker:

        async def serving() -> bool:
            return "serving" in log.read_text()

        await assert_eventually(serving)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert "refuses" not in log.read_text()


async def test_a_worker_that_still_waits_for_temporal_can_be_stopped(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    nowhere = dict(environment(alone, settings)) | {"TEMPORAL_ADDRESS": "127.0.0.1:1"}
    command = [sys.executable, str(ROOT / "worker.py")]
    with log.open("wb") as output, process(command, stderr=output, env=nowhere) as worker:

        async def waiting() -> bool:
            return "waiting for Temporal" in log.read_text()

        await assert_eventually(waiting)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
