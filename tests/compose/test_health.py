"""The health check of a worker's container says whether that worker lives, and starts no Python."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
from temporalio.client import Client

from settings import Settings
from tests.compose.composition import SERVICES, health_check
from tests.support.helpers import PATIENCE, assert_eventually, worker_process

SERVICE = "worker-research"


async def healthy(alive_file: Path) -> bool:
    """Run the check of the file with a path of ours in place of the container's."""
    in_the_container = SERVICES[SERVICE]["environment"]["KTRDR_ALIVE_FILE"]
    command = [part.replace(in_the_container, str(alive_file)) for part in health_check(SERVICE)]
    check = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await check.wait() == 0


async def becomes_healthy(alive_file: Path) -> bool:
    """Run the check as soon as the file is new: to run it all the time costs processor time."""
    return is_new(alive_file) and await healthy(alive_file)


def is_new(file: Path) -> bool:
    return file.exists() and time.time() - file.stat().st_mtime < 10


async def test_a_worker_is_healthy_while_its_event_loop_runs(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    alive_file = tmp_path / "alive"
    told = settings.model_copy(update={"alive_file": alive_file})
    assert not await healthy(alive_file)
    with worker_process(alone, told, "research") as worker:
        await assert_eventually(lambda: becomes_healthy(alive_file), within=PATIENCE)
        worker.send_signal(signal.SIGSTOP)

        async def stopped() -> bool:
            return psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED

        await assert_eventually(stopped, within=PATIENCE)
        # As if it had been stopped for longer than the check forgives.
        long_ago = time.time() - 60
        os.utime(alive_file, (long_ago, long_ago))
        assert not await healthy(alive_file)
        worker.send_signal(signal.SIGCONT)
        await assert_eventually(lambda: becomes_healthy(alive_file), within=PATIENCE)
