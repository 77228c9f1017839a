"""A watch of several instruments on the real server: it waits for all, and not for ever."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from quant.watch.frontier import get_longest_wait
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.quant.watches import ALL, BEFORE, TABLE, WatchedResearch, make_tables
from tests.support.watching import Handle, has_looked, make_symbol, start
from workflows.watch import Watch


@pytest.fixture
def of_three(data_dir: Path, settings: Settings) -> WatchedResearch:
    store = ArtifactStore(settings.artifacts_url)
    tables = make_tables(sorted(make_symbol() for _ in range(3)))
    return WatchedResearch(data_dir, store, research_id=new_id("op_agent_research"), tables=tables)


async def awaits(handle: Handle, symbols: Sequence[str]) -> datetime:
    """Wait until it waits for bars of these instruments, and return since when."""

    async def look() -> datetime:
        summary = (await handle.query(Watch.describe)).summary
        assert summary.awaits == tuple(symbols)
        assert summary.awaits_since is not None
        return summary.awaits_since

    return await assert_eventually(look, within=PATIENCE)


async def test_bars_of_a_universe_come_one_instrument_after_the_other_and_none_is_lost(
    client: Client, of_three: WatchedResearch
) -> None:
    handle = await start(client, of_three)
    await has_looked(handle, 0)
    left = list(of_three.tables)
    for symbol in reversed(list(of_three.tables)):
        of_three.write_until(ALL, [symbol])
        left.remove(symbol)
        await handle.signal(Watch.look_now)
        if left:
            await awaits(handle, left)

    state = await has_looked(handle, ALL - BEFORE - 1)

    assert (state.summary.awaits, state.summary.awaits_since) == ((), None)
    times = [point.time for point in of_three.record.points]
    assert times == [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in TABLE["timestamp"][BEFORE:-1]]
    await handle.cancel()


async def test_whoever_gets_no_bars_is_awaited_for_ten_days_and_then_has_left(
    client: Client, of_three: WatchedResearch
) -> None:
    handle = await start(client, of_three)
    await has_looked(handle, 0)
    *others, last = of_three.tables
    of_three.write_until(BEFORE + 40, others)
    await handle.signal(Watch.look_now)
    since = await awaits(handle, [last])
    assert (await handle.describe()).start_time <= since <= datetime.now(UTC)
    of_three.write_until(ALL, others)
    of_three.wait_longer(get_longest_wait("1d"))

    await handle.signal(Watch.look_now)
    state = await has_looked(handle, ALL - BEFORE - 1)

    assert (state.summary.awaits, state.summary.left) == ((), (last,))
    await handle.cancel()
