"""A benchmark that waits: with a stack, on which a research computes, or with one process only."""

import asyncio
import sys

from bench.cancel.plans import Plan
from bench.cancel.stack import bench_stack
from bench.processes import run_beside
from bench.temporary import temporary_settings


async def compute() -> None:
    """Wait while a research computes."""
    async with bench_stack(slots=1) as bench:
        await bench.stay(Plan.STAY_IN_DESIGN)
        await _wait()


async def write() -> None:
    """Wait while there is a file in the state directory, and a process."""
    with temporary_settings() as settings, run_beside(["sleep", "infinity"]):
        (settings.home / "written").touch()
        await _wait()


async def _wait() -> None:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"compute": compute, "write": write}[sys.argv[1]]())
