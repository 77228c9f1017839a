import asyncio
import contextlib
import os
import time

import psutil
import pytest

from activities.computing.compute import Compute, JobFailed
from activities.jobs import JobContext
from errors import ComputeDied
from quant.messages.progress import Progress
from tests.activities import jobs
from tests.activities.compute.running import run, running
from tests.support.helpers import assert_eventually


async def test_the_result_comes_back_from_another_process(
    compute: Compute, context: JobContext
) -> None:
    answer = await run(compute, context, jobs.answer, number=7)
    assert answer.number == 7
    assert answer.pid != os.getpid()


@pytest.mark.parametrize("niceness", [0, 3])
async def test_a_job_lets_others_go_first_as_far_as_it_was_told(
    context: JobContext, niceness: int
) -> None:
    compute = Compute(1, niceness=niceness)
    compute.warm_up()
    answer = await run(compute, context, jobs.tell_niceness)
    await compute.close()
    assert answer.number == os.nice(0) + niceness


async def test_a_job_that_ends_at_once_is_not_missed(
    compute: Compute, context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    pidfd_open = os.pidfd_open

    def late(pid: int) -> int:
        """Give the process time to end before it is looked at."""
        deadline = time.monotonic() + 0.5
        while psutil.pid_exists(pid) and time.monotonic() < deadline:
            pass
        return pidfd_open(pid)

    monkeypatch.setattr("activities.computing.forks.os.pidfd_open", late)
    with pytest.raises(JobFailed, match="row 3"):
        await run(compute, context, jobs.refuse)


async def test_every_job_has_a_process_of_its_own(compute: Compute, context: JobContext) -> None:
    answers = await asyncio.gather(
        *(run(compute, context, jobs.answer, number=number) for number in range(12))
    )
    assert [answer.number for answer in answers] == list(range(12))
    assert len({answer.pid for answer in answers}) == 12


async def test_an_expected_error_arrives_with_reason_and_field(
    compute: Compute, context: JobContext
) -> None:
    with pytest.raises(JobFailed, match="row 3 is wrong") as failed:
        await run(compute, context, jobs.refuse)
    assert (failed.value.reason, failed.value.field) == ("invalid_data", "close")


async def test_an_unexpected_error_is_internal(compute: Compute, context: JobContext) -> None:
    with pytest.raises(JobFailed, match="ZeroDivisionError: one over zero") as failed:
        await run(compute, context, jobs.stumble)
    assert failed.value.reason == "internal"


async def test_progress_is_delivered(compute: Compute, context: JobContext) -> None:
    seen: list[Progress] = []
    task = asyncio.create_task(run(compute, context, jobs.advance, report=seen.append))

    async def delivered() -> bool:
        return seen == [Progress(percentage=40.0, current_step="Fold 2")]

    await assert_eventually(delivered)
    task.cancel()
    await asyncio.wait([task])


async def test_many_runs_leave_no_file_descriptor_open(
    compute: Compute, context: JobContext
) -> None:
    def open_descriptors() -> int:
        return psutil.Process().num_fds()

    async def some_runs() -> None:
        for number in range(10):
            await run(compute, context, jobs.answer, number)
            for job in (jobs.refuse, jobs.die):
                with contextlib.suppress(JobFailed, ComputeDied):
                    await run(compute, context, job)
            async with running(compute, context, jobs.advance):
                pass

    await some_runs()
    before = open_descriptors()
    await some_runs()

    async def as_before() -> bool:
        # The last processes are reaped in the background. This process has other connections, too,
        # but fewer than the ten that one left by each kind of run comes to.
        return open_descriptors() < before + 10

    await assert_eventually(as_before)
