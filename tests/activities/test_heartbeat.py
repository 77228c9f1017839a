import asyncio
import itertools
import time
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.heartbeat import HEARTBEAT_SECONDS, heartbeating
from quant.messages.progress import Progress
from tests.support.helpers import assert_eventually


async def test_progress_is_told_at_most_once_a_second_and_at_the_latest_state() -> None:
    beats: list[tuple[float, Any]] = []

    async def busy() -> None:
        async with heartbeating() as report:

            async def told_twice() -> bool:
                report(Progress(percentage=min(99.0, 50.0 + len(beats))))
                return len(beats) >= 3

            await assert_eventually(told_twice)

    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append((time.monotonic(), details[0]))
    await environment.run(busy)
    times = [moment for moment, _ in beats]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap > 0.9 * HEARTBEAT_SECONDS for gap in gaps)
    assert [progress.percentage for _, progress in beats] == [50.0, 51.0, 52.0]


async def test_the_beating_ends_with_the_work() -> None:
    def beating() -> set[asyncio.Task[Any]]:
        return {task for task in asyncio.all_tasks() if "heartbeating" in repr(task)}

    before = beating()
    own: set[asyncio.Task[Any]] = set()

    async def short() -> None:
        async with heartbeating():
            own.update(beating() - before)

    environment = ActivityEnvironment()
    await environment.run(short)
    assert len(own) == 1
    await asyncio.wait(own, timeout=30)
    assert not own & beating()
