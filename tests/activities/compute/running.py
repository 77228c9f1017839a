"""Running jobs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from activities.computing.compute import Compute
from activities.jobs import JobContext
from quant.messages.progress import Progress
from quant.messages.record.trials import TrialOnBars
from tests.activities import jobs
from tests.activities.jobs import Answer, Argument

LONG = [jobs.advance, jobs.sleep_in_c, jobs.multiply_in_c, jobs.write_without_end]


def ignore(_report: Progress | TrialOnBars) -> None:
    """Take no interest in reports."""


async def run(
    compute: Compute,
    context: JobContext,
    job: Any,
    number: int = 0,
    report: Any = ignore,
    report_trial: Any = ignore,
) -> Answer:
    argument = Argument(number=number)
    return await compute.run(
        job, argument, context, returns=Answer, report=report, report_trial=report_trial
    )


@contextlib.asynccontextmanager
async def running(
    compute: Compute, context: JobContext, job: Any, report_trial: Any = ignore
) -> AsyncIterator[asyncio.Task[Answer]]:
    """Run a job that has reported its first progress."""
    begun = asyncio.Event()
    task = asyncio.create_task(
        run(compute, context, job, report=lambda _: begun.set(), report_trial=report_trial)
    )
    await asyncio.wait_for(begun.wait(), 30)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
