"""Bars of several instruments that come after a watch has begun, scored as one account."""

from pathlib import Path

import numpy as np
import pytest

from quant.bars.bars import Bars
from quant.messages.data import DataSource
from quant.universe.loader import load_instruments
from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe
from quant.watch.frontier import Frontier, find_frontier
from storage.artifacts import ArtifactStore
from tests.support.quant.universes import make_bars
from tests.support.quant.watches import ALL, BEFORE, TABLE, WatchedResearch, make_tables

SYMBOLS = ("A", "B", "C")


def install(directory: Path) -> WatchedResearch:
    directory.mkdir(exist_ok=True)
    store = ArtifactStore(str(directory / "artifacts"))
    return WatchedResearch(directory, store, tables=make_tables(SYMBOLS))


@pytest.fixture
def installed(tmp_path: Path) -> WatchedResearch:
    return install(tmp_path)


def say_time(row: int) -> str:
    return f"{TABLE['timestamp'][row]:%Y-%m-%dT%H:%M:%SZ}"


def make_instrument(symbol: str, first: int, last: int) -> Bars:
    return make_bars(symbol, np.full(last - first + 1, 100.0), first=first)


def test_a_watch_begins_after_the_newest_bar_of_any_instrument(installed: WatchedResearch) -> None:
    installed.write_until(BEFORE + 20, ["B"])

    begun = installed.score()

    assert begun.begins_after == say_time(BEFORE + 19)
    assert (begun.bars, begun.awaits) == (0, ())


def test_a_time_counts_when_every_instrument_has_been_seen_beyond_it(
    installed: WatchedResearch,
) -> None:
    installed.score()

    installed.write_until(BEFORE + 6, ["A"])
    alone = installed.score()
    installed.write_until(BEFORE + 4, ["B", "C"])
    some = installed.score()
    installed.write_until(BEFORE + 6, ["B", "C"])
    all_of_them = installed.score()

    # The newest bar of C is that of BEFORE - 1, because 700 is a seventh time.
    assert (alone.bars, alone.awaits) == (0, ("B", "C"))
    assert (some.bars, some.awaits) == (3, ("B", "C"))
    assert (all_of_them.bars, all_of_them.awaits) == (5, ())
    assert [point.time for point in installed.record.points] == [
        say_time(BEFORE + row) for row in range(5)
    ]


def test_nobody_waits_for_an_instrument_that_has_left(installed: WatchedResearch) -> None:
    installed.score()

    installed.write_until(BEFORE + LONGEST_ABSENCE - 1, ["A", "C"])
    waiting = installed.score()
    installed.write_until(BEFORE + LONGEST_ABSENCE, ["A", "C"])
    left = installed.score()

    assert (waiting.bars, waiting.awaits) == (0, ("B",))
    # Its last bar is LONGEST_ABSENCE times ago, and the newest of the others waits for the next.
    assert (left.bars, left.awaits) == (LONGEST_ABSENCE - 1, ())


@pytest.mark.parametrize("seed", range(2))
def test_in_whatever_order_bars_come_the_record_is_the_same(tmp_path: Path, seed: int) -> None:
    once, often = install(tmp_path / "once"), install(tmp_path / "often")
    once.score()
    often.score()
    rng = np.random.default_rng(seed)
    come = dict.fromkeys(SYMBOLS, BEFORE)
    while min(come.values()) < ALL:
        symbol = min(come, key=lambda each: (come[each], rng.random()))
        # No instrument is away for so long that it seems to have left.
        come[symbol] = min(come[symbol] + int(rng.integers(1, LONGEST_ABSENCE - 1)), ALL)
        often.write_until(come[symbol], [symbol])
        often.score()

    once.score(ALL)

    assert often.record == once.record
    assert once.record.bars == ALL - BEFORE - 1


def test_the_market_is_all_instruments_in_equal_parts(installed: WatchedResearch) -> None:
    installed.score()
    installed.score(ALL)

    source = DataSource(symbols=SYMBOLS)
    bars = Universe.of(load_instruments(source, installed.data_dir))
    opens = bars.opens[BEFORE:]
    # A third each of A and B is bought at once. C has no bar then, and is bought at the next time.
    units = np.append(1.0 / 3.0 / opens[0, :2], 0.0)
    units[2] = (units[:2] @ opens[1, :2] + 1.0 / 3.0) / 3.0 / opens[1, 2]
    cash = 1.0 / 3.0 - units[2] * opens[1, 2]
    worth, latest = [1.0], opens[1]
    for row in opens[1:]:
        latest = np.where(np.isnan(row), latest, row)
        worth.append(float(units @ latest) + cash)
    expected = np.array(worth[1:]) / np.array(worth[:-1]) - 1.0
    points = installed.record.points
    assert [point.market for point in points] == pytest.approx(expected.tolist(), abs=1e-12)
    assert any(point.strategy != 0.0 for point in points)


def test_an_instrument_that_has_ended_long_ago_is_no_problem(installed: WatchedResearch) -> None:
    installed.score()
    ended = installed.tables["B"].loc[:660]
    installed.write_until(ALL)
    installed.write_bars(ended, "B")

    assert installed.score().bars == ALL - BEFORE - 1


def test_the_frontier_is_the_last_bar_of_the_slowest_that_has_not_left() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        last = rng.integers(20, 60, size=int(rng.integers(1, 6)))
        newest = int(last.max())
        present = last[newest - last < LONGEST_ABSENCE]
        # One instrument has all times of the clock, so that indices are times.
        clock = make_instrument("CLOCK", 0, newest)
        others = [make_instrument(f"I{at}-{number}", 5, at) for number, at in enumerate(last)]

        found = find_frontier(Universe.of([clock, *others]))

        stop = int(present.min())
        waiting = tuple(each.symbol for each, at in zip(others, last, strict=True) if at == stop)
        assert found == Frontier(stop, waiting if stop < newest else ())
