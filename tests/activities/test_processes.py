"""One of several processes is killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import psutil
import pytest

from activities.computing.processes import Processes
from tests.support.helpers import PATIENCE, process, said

# Says when it may go on, also if it had no time to stop before. Of two signals that have arrived,
# that with the lower number is handled first: SIGCONT before the other one.
_PATIENT = """
import signal
signal.signal(signal.SIGCONT, lambda *_: print("goes on", flush=True))
signal.signal(signal.SIGRTMIN, lambda *_: print("is here", flush=True))
print("waits", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def patient() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Four processes that wait."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(process([sys.executable, "-c", _PATIENT], stdout=subprocess.PIPE))
            for _ in range(4)
        ]
        for each in started:
            assert read_line(each) == b"waits\n"
        yield started


def read_line(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    return child.stdout.readline()


def assert_nobody_paused(others: list[subprocess.Popen[bytes]]) -> None:
    for other in others:
        other.send_signal(signal.SIGRTMIN)
        assert read_line(other) == b"is here\n"


Collected = tuple[Processes, list[int]]


@pytest.fixture
def collected(patient: list[subprocess.Popen[bytes]]) -> Iterator[Collected]:
    """The same four as those of a worker, and their pidfds."""
    processes = Processes()
    pidfds = [os.pidfd_open(each.pid) for each in patient]
    for pidfd in pidfds:
        processes.add(pidfd)
    yield processes, pidfds


async def test_the_others_pause_while_one_dies(
    patient: list[subprocess.Popen[bytes]], collected: Collected
) -> None:
    processes, pidfds = collected
    await processes.kill(pidfds[0], before_others=True)
    assert patient[0].wait(0) == -signal.SIGKILL
    for other in patient[1:]:
        assert read_line(other) == b"goes on\n"
        assert psutil.Process(other.pid).status() != psutil.STATUS_STOPPED


async def test_more_than_can_compute_at_once_do_not_pause(
    patient: list[subprocess.Popen[bytes]], collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.computing.processes._MOST_PAUSED", 1)
    processes, pidfds = collected
    await processes.kill(pidfds[0], before_others=True)
    assert_nobody_paused(patient[1:])


async def test_nobody_pauses_for_a_process_that_has_done_its_job(
    patient: list[subprocess.Popen[bytes]],
    collected: Collected,
) -> None:
    processes, pidfds = collected
    await processes.kill(pidfds[0])
    assert_nobody_paused(patient[1:])


async def test_when_two_die_at_the_same_time_the_others_go_on(
    patient: list[subprocess.Popen[bytes]],
    collected: Collected,
) -> None:
    processes, pidfds = collected
    async with asyncio.TaskGroup() as killing:
        for pidfd in pidfds[:2]:
            killing.create_task(processes.kill(pidfd, before_others=True))
    assert [each.wait(0) for each in patient[:2]] == [-signal.SIGKILL] * 2
    for other in patient[2:]:
        assert read_line(other) == b"goes on\n"


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system report no death."""
    monkeypatch.setattr(
        "activities.computing.processes.wait_until_readable", lambda _: asyncio.Event().wait()
    )


@contextlib.asynccontextmanager
async def killing(processes: Processes, pidfd: int) -> AsyncIterator[None]:
    """Kill a process before the others; the death is not waited for."""
    task = asyncio.create_task(processes.kill(pidfd, before_others=True))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.usefixtures("hanging")
async def test_the_pause_of_a_series_is_no_longer_than_that_of_the_first(
    patient: list[subprocess.Popen[bytes]], collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes, pidfds = collected
    async with killing(processes, pidfds[0]):
        monkeypatch.setattr("activities.computing.processes._LONGEST_PAUSE_SECONDS", 10 * PATIENCE)
        async with killing(processes, pidfds[1]):
            for other in patient[2:]:
                await said(other, "goes on")


@pytest.mark.usefixtures("hanging")
async def test_after_a_pause_the_others_run_for_as_long(
    patient: list[subprocess.Popen[bytes]], collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.computing.processes._LONGEST_PAUSE_SECONDS", 1.0)
    processes, pidfds = collected
    async with killing(processes, pidfds[0]):
        await said(patient[2], "goes on")
        async with killing(processes, pidfds[1]):
            patient[2].send_signal(signal.SIGRTMIN)
            assert await said(patient[2], "is here") == "is here\n"
