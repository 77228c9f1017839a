import asyncio
import itertools
import time
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.heartbeat import send_heartbeats
from quant.messages.progress import Progress
from tests.support.helpers import activity_environment, assert_eventually
from workflows.policies import HEARTBEAT_TIMEOUT


async def test_progress_is_told_at_most_once_a_second_and_at_the_latest_state() -> None:
    beats: list[tuple[float, Any]] = []

    async def busy() -> None:
        async with send_heartbeats() as report:

            async def told_twice() -> bool:
                report(Progress(percentage=min(99.0, 50.0 + len(beats))))
                return len(beats) >= 3

            await assert_eventually(told_twice)

    environment = activity_environment()
    environment.on_heartbeat = lambda *details: beats.append((time.monotonic(), details[0]))
    await environment.run(busy)
    times = [moment for moment, _ in beats]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap > 0.09 * HEARTBEAT_TIMEOUT.total_seconds() for gap in gaps)
    assert [progress.percentage for _, progress in beats] == [50.0, 51.0, 52.0]


async def test_the_beating_ends_with_the_work() -> None:
    def beating() -> set[asyncio.Task[Any]]:
        return {task for task in asyncio.all_tasks() if "send_heartbeats" in repr(task)}

    before = beating()
    own: set[asyncio.Task[Any]] = set()

    async def short() -> None:
        async with send_heartbeats():
            own.update(beating() - before)

    environment = activity_environment()
    await environment.run(short)
    assert len(own) == 1
    await asyncio.wait(own, timeout=30)
    assert not own & beating()


async def test_without_a_heartbeat_timeout_nothing_is_sent() -> None:
    async def silent() -> None:
        async with send_heartbeats():
            pass

    with pytest.raises(ValueError, match="has no heartbeat timeout"):
        await ActivityEnvironment().run(silent)
