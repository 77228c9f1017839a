"""What runs jobs in processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.computing.compute import Compute
from activities.jobs import JobContext
from settings import Settings
from tests.support.helpers import assert_eventually, leftovers
from tests.support.processes import compute_processes


@pytest_asyncio.fixture(scope="module")
async def compute() -> AsyncIterator[Compute]:
    running = Compute(8, niceness=Settings().compute_niceness)
    running.warm_up()
    yield running
    await running.close()


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    return JobContext("op_test", str(tmp_path), None)


@pytest_asyncio.fixture(autouse=True)
async def nothing_left(tmp_path: Path) -> AsyncIterator[None]:
    """Whatever a job did, it leaves no process and no half-written file."""
    yield

    async def nothing() -> bool:
        # One that came too late for a cancel is killed in the background.
        assert compute_processes() == []
        return leftovers(tmp_path) == []

    await assert_eventually(nothing)
