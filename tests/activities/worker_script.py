"""A process that runs one job of `tests.activities.jobs` in a compute process, to be killed."""

import asyncio
import sys

from activities.computing.compute import Compute
from activities.jobs import JobContext
from quant.messages.progress import Progress
from tests.activities import jobs


def announce(_progress: Progress) -> None:
    """Tell the test that the job is at work."""
    sys.stdout.write("at work\n")
    sys.stdout.flush()


async def main(job: str, directory: str) -> None:
    """Run the job."""
    await Compute(8).run(
        getattr(jobs, job),
        jobs.Argument(),
        JobContext("op_test", directory, None),
        returns=jobs.Answer,
        report=announce,
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
