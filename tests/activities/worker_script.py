"""A process that runs jobs of `tests.activities.jobs` in compute processes, to be killed."""

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


async def main(directory: str, *names: str) -> None:
    """Run the jobs at once."""
    compute = Compute(8)
    await asyncio.gather(
        *(
            compute.run(
                getattr(jobs, name),
                jobs.Argument(),
                JobContext("op_test", directory, None),
                returns=jobs.Answer,
                report=announce,
            )
            for name in names
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
