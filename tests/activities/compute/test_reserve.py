"""The process that is forked before there is a job for it."""

import signal
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from activities.computing.compute import Compute
from activities.jobs import JobContext
from settings import Settings
from tests.activities import jobs
from tests.activities.compute.running import run
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.processes import is_alive, kill, reserve_processes


@pytest_asyncio.fixture
async def own() -> AsyncIterator[Compute]:
    running = Compute(1, niceness=Settings().compute_niceness)
    running.warm_up()
    yield running
    await running.close()


@pytest_asyncio.fixture
async def reserve(own: Compute, context: JobContext) -> psutil.Process:
    """What is forked once a job has begun."""
    others = set(reserve_processes())
    await run(own, context, jobs.answer)

    async def look() -> set[psutil.Process]:
        return set(reserve_processes()) - others

    [process] = await assert_eventually(look, within=PATIENCE)
    return process


async def test_the_next_job_gets_it(
    own: Compute, context: JobContext, reserve: psutil.Process
) -> None:
    assert (await run(own, context, jobs.answer)).pid == reserve.pid
    assert (await run(own, context, jobs.answer)).pid != reserve.pid


@pytest.mark.parametrize("is_stopped", [False, True], ids=["running", "stopped"])
async def test_if_it_has_died_another_one_takes_its_place(
    own: Compute, context: JobContext, reserve: psutil.Process, is_stopped: bool
) -> None:
    if is_stopped:
        reserve.suspend()
    kill(reserve.pid)

    async def dead() -> bool:
        return not is_alive(reserve)

    await assert_eventually(dead)
    assert (await run(own, context, jobs.answer, number=7)).number == 7


async def test_an_interrupt_of_the_terminal_does_not_end_it(
    own: Compute, context: JobContext, reserve: psutil.Process
) -> None:
    reserve.send_signal(signal.SIGINT)
    assert (await run(own, context, jobs.answer)).pid == reserve.pid


async def test_it_is_gone_when_the_worker_has_stopped(
    own: Compute, reserve: psutil.Process
) -> None:
    await own.close()
    assert not is_alive(reserve)
