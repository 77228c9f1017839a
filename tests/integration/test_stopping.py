"""A process that was told to stop is gone in time, whatever its workflows do."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.ports import find_free_ports
from settings import Settings
from tests.integration.stubborn_worker import STUBBORN_QUEUE
from tests.integration.stubborn_workflows import Busy, Interrupted, Slow, Stubborn
from tests.support.helpers import (
    PATIENCE,
    ROOT,
    assert_eventually,
    environment,
    new_id,
    process,
    worker_process,
)
from tests.support.phases import IN_TRAINING
from tests.support.processes import compute_processes, is_alive

pytestmark = pytest.mark.long

STOP_SECONDS = 5


async def failed(client: Client, workflow: Callable[..., object]) -> str:
    """Start a workflow, and return its id when a task of it has failed."""
    handle = await client.start_workflow(
        workflow.__name__, id=new_id("refusing"), task_queue=STUBBORN_QUEUE
    )

    async def has_failed() -> bool:
        events = (await handle.fetch_history()).events
        return EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED in {each.event_type for each in events}

    await assert_eventually(has_failed)
    return handle.id


async def working_for(worker_pid: int) -> list[psutil.Process]:
    return compute_processes(worker_pid)


@contextmanager
def stubborn_worker(
    client: Client, settings: Settings, log: Path, stop_seconds: int = STOP_SECONDS
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.integration.stubborn_worker", f"{stop_seconds}"]
    with (
        log.open("wb") as output,
        process(
            command, cwd=ROOT, stdout=output, stderr=output, env=environment(client, settings)
        ) as worker,
    ):
        yield worker


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize("workflow", [Stubborn, Interrupted, Busy])
async def test_a_worker_is_gone_in_time_though_a_workflow_cannot_be_evicted(
    alone: Client, settings: Settings, tmp_path: Path, workflow: type
) -> None:
    log = tmp_path / "worker.log"
    with stubborn_worker(alone, settings, log) as worker:
        await IN_TRAINING.begin(alone)
        computing = await assert_eventually(partial(working_for, worker.pid), within=PATIENCE)
        workflow_id = await failed(alone, workflow)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS + 5) == 1
    assert not [each for each in computing if is_alive(each)]
    said = log.read_text()
    assert f"{workflow.__name__} {workflow_id} refuses to stop" in said
    assert "stubborn_workflows.py" in said.partition("refuses to stop")[2]


async def test_a_task_that_is_too_slow_is_repeated_and_keeps_nobody_from_stopping(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with stubborn_worker(alone, settings, log, stop_seconds=100) as worker:
        workflow_id = await failed(alone, Slow)
        handle = alone.get_workflow_handle(workflow_id, result_type=str)
        assert await asyncio.wait_for(handle.result(), 60) == "done"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(110) == 0
    assert "a workflow task of Slow took" in log.read_text()


async def test_a_worker_that_nothing_keeps_ends_by_itself(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with worker_process(alone, settings, log=log) as worker:

        async def serving() -> bool:
            return "serving" in log.read_text()

        await assert_eventually(serving, within=PATIENCE)
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

        await assert_eventually(waiting, within=PATIENCE)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


async def test_an_api_is_gone_in_time_though_a_request_waits_for_a_silent_database(
    alone: Client, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        [port] = find_free_ports(1)
        database = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/ktrdr"
        env = {
            **environment(alone, settings),
            "KTRDR_API_PORT": f"{port}",
            "KTRDR_LEDGER_URL": database,
        }
        with process([sys.executable, "-m", "api"], cwd=ROOT, env=env) as api:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

                async def alive() -> bool:
                    with contextlib.suppress(httpx2.TransportError):
                        return (await http.get("/health")).is_success
                    return False

                await assert_eventually(alive, within=PATIENCE)
                waiting = asyncio.create_task(http.get("/experiments"))
                connection, _ = await asyncio.to_thread(silent.accept)
                api.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(api.wait, 30) is not None
                connection.close()
                await asyncio.wait([waiting])
                waiting.exception()
