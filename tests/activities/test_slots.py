"""The slots of a worker process: as many as there are, and no more memory than allowed."""

import asyncio
import os
from contextlib import AsyncExitStack

from activities.computing.slots import ComputeSlots
from quant.messages.progress import WAITS_FOR, Progress, ignore_report
from tests.support.helpers import assert_eventually

MIB = 2**20


async def test_helpers_get_only_slots_that_are_free() -> None:
    slots = ComputeSlots(3)
    async with slots.take("a", ignore_report, helpers=1) as first:
        assert first.helpers == 1
        async with slots.take("a", ignore_report, helpers=1) as second:
            assert second.helpers == 0
            told: list[Progress] = []
            async with AsyncExitStack() as stack:
                taking = asyncio.create_task(
                    stack.enter_async_context(slots.take("a", told.append))
                )
                await assert_eventually(lambda: _is_waiting(told, "slot"))
                assert not taking.done()
                taking.cancel()
    async with slots.take("a", ignore_report, helpers=9) as last:
        assert last.helpers == 2


async def test_a_process_waits_until_there_is_room_for_its_kind() -> None:
    """This process stands in for one that computes; it uses more than the bound."""
    slots = ComputeSlots(3, memory=10 * MIB)
    async with AsyncExitStack() as others:
        first = await others.enter_async_context(slots.take("large", ignore_report))
        first.pids.append(os.getpid())

        async def is_known() -> bool:
            return first.peak > 10 * MIB

        await assert_eventually(is_known)
        told: list[Progress] = []
        waiting = asyncio.create_task(_take(slots, told))
        await assert_eventually(lambda: _is_waiting(told, "memory"))
        assert not waiting.done()
    await asyncio.wait_for(waiting, 30)


async def _take(slots: ComputeSlots, told: list[Progress]) -> None:
    async with slots.take("large", told.append):
        pass


async def _is_waiting(told: list[Progress], what: str) -> bool:
    return [each.context.get(WAITS_FOR) for each in told] == [what]
