"""A process that is cancelled, killed, or dies."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from activities.computing.compute import Compute, JobFailed
from activities.jobs import JobContext
from errors import ComputeDied
from quant.messages.record.trials import TrialOnBars
from settings import Settings
from tests.activities import jobs
from tests.activities.compute.running import LONG, ignore, run, running
from tests.activities.jobs import Answer, Argument
from tests.support.helpers import assert_eventually
from tests.support.processes import (
    compute_processes,
    fork_servers,
    is_alive,
    kill,
    kill_whole,
    reserve_processes,
    suspended,
)


@pytest.mark.parametrize(
    ("job", "end"),
    [
        (jobs.die, "was killed by SIGKILL, as the system does when memory runs out"),
        (jobs.crash, "was killed by SIGSEGV."),
        (jobs.leave, "ended without a result and with exit code 3"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
async def test_a_process_that_ends_without_a_result_has_died(
    compute: Compute, context: JobContext, job: Any, end: str
) -> None:
    with pytest.raises(ComputeDied, match=f"The compute process {end}"):
        await run(compute, context, job)


@pytest.mark.parametrize("job", LONG, ids=lambda job: job.__name__)
async def test_a_job_that_is_killed_from_outside_has_died(
    compute: Compute, context: JobContext, job: Any
) -> None:
    async with running(compute, context, job) as task:
        [process] = compute_processes()
        kill(process.pid)
        with pytest.raises(ComputeDied):
            await task


@pytest.mark.parametrize("job", LONG, ids=lambda job: job.__name__)
async def test_a_cancel_kills_the_process_at_once(
    compute: Compute, context: JobContext, job: Any
) -> None:
    async with running(compute, context, job) as task:
        assert len(compute_processes()) == 1
        task.cancel()
        # The job itself would take an hour.
        async with asyncio.timeout(30):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert compute_processes() == []


async def test_a_cancel_does_not_wait_for_others_that_hold_the_channel(
    compute: Compute, context: JobContext, tmp_path: Path
) -> None:
    """So does a fork server that is stopped while it forks."""
    async with running(compute, context, jobs.leave_a_child) as task:
        child = int((tmp_path / "child").read_text())
        try:
            task.cancel()
            async with asyncio.timeout(30):
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert is_alive(psutil.Process(child))
        finally:
            kill(child)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_a_cancel_while_the_process_starts_leaves_none(
    compute: Compute, context: JobContext, turns: int
) -> None:
    task = asyncio.create_task(run(compute, context, jobs.sleep_in_c))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancel_waits_for_no_process_that_is_only_being_started(
    compute: Compute, context: JobContext
) -> None:
    """The first has been asked for, the others are waiting behind it."""
    await run(compute, context, jobs.answer)
    [fork_server] = fork_servers(os.getpid())
    with suspended(fork_server):
        tasks = [asyncio.create_task(run(compute, context, jobs.sleep_in_c)) for _ in range(20)]
        await asyncio.wait(tasks, timeout=0.1)
        for task in tasks:
            task.cancel()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
        assert {type(each) for each in ended} == {asyncio.CancelledError}
    assert (await run(compute, context, jobs.answer, number=7)).number == 7


async def test_if_the_fork_server_dies_before_the_process_has_been_forked_the_job_has_died(
    compute: Compute, context: JobContext
) -> None:
    own = Compute(8, niceness=Settings().compute_niceness)
    [fork_server] = fork_servers(os.getpid())
    in_reserve = reserve_processes()
    with suspended(fork_server):
        task = asyncio.create_task(run(own, context, jobs.sleep_in_c))
        await asyncio.wait([task], timeout=0.1)
        kill_whole(fork_server.pid)
    with pytest.raises(ComputeDied, match="could be forked"):
        await task
    await own.close()
    compute.warm_up()

    async def nothing_in_reserve() -> bool:
        return not any(is_alive(each) for each in in_reserve)

    # What was in reserve dies with the fork server it comes from.
    await assert_eventually(nothing_in_reserve)
    assert (await run(compute, context, jobs.answer, number=7)).number == 7


async def test_a_fork_server_outlives_the_one_for_whom_it_was_started(
    compute: Compute, context: JobContext
) -> None:
    """Several in one process share it."""
    [first] = fork_servers(os.getpid())
    kill_whole(first.pid)
    own = Compute(1, niceness=Settings().compute_niceness)
    await run(own, context, jobs.answer)
    [second] = fork_servers(os.getpid())
    await own.close()

    assert (await run(compute, context, jobs.answer, number=7)).number == 7
    assert fork_servers(os.getpid()) == [second]


async def test_all_processes_can_be_killed_from_another_thread(
    compute: Compute, context: JobContext
) -> None:
    async with (
        running(compute, context, jobs.sleep_in_c) as one,
        running(compute, context, jobs.multiply_in_c) as other,
    ):
        await asyncio.to_thread(compute.kill_all)
        assert compute_processes() == []
        for task in (one, other):
            with pytest.raises(ComputeDied):
                await task


async def test_a_second_cancel_does_not_leave_the_process_behind(
    compute: Compute, context: JobContext
) -> None:
    async with running(compute, context, jobs.sleep_in_c) as task:
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_one_is_cancelled_and_the_others_go_on(compute: Compute, context: JobContext) -> None:
    async with (
        running(compute, context, jobs.advance) as one,
        running(compute, context, jobs.sleep_in_c) as other,
    ):
        other.cancel()
        await asyncio.wait([other])
        assert not one.done()
        assert len(compute_processes()) == 1


async def test_only_for_a_cancel_the_others_pause(compute: Compute, context: JobContext) -> None:
    told: list[int] = []
    async with running(
        compute, context, jobs.tell_of_pauses, lambda each: told.append(each.trial.number)
    ):
        [process] = compute_processes()
        with pytest.raises(JobFailed):
            await run(compute, context, jobs.refuse)
        process.send_signal(signal.SIGRTMIN)

        async def one_told() -> bool:
            return len(told) == 1

        await assert_eventually(one_told)
        async with running(compute, context, jobs.advance):
            pass  # The end of this block cancels it.

        async def both_told() -> bool:
            return told == [signal.SIGRTMIN, signal.SIGCONT]

        await assert_eventually(both_told)


async def test_closing_waits_for_what_has_just_been_started() -> None:
    started = Compute(8, niceness=Settings().compute_niceness)
    started.warm_up()
    await started.close()


async def test_what_was_tried_is_told_also_by_a_job_that_is_stopped(
    compute: Compute, context: JobContext
) -> None:
    told: list[TrialOnBars] = []
    task = asyncio.create_task(
        compute.run(
            jobs.try_without_end,
            Argument(number=100),
            context,
            returns=Answer,
            report=ignore,
            report_trial=told.append,
        )
    )

    async def some() -> bool:
        return len(told) > 0

    await assert_eventually(some)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # What was in the pipe when the process died counts, too.
    assert [each.trial.number for each in told] == list(range(len(told)))
    assert len(told) > 0
