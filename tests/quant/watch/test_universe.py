"""Bars of several instruments that come after a watch has begun, scored as one account."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from quant.bars.bars import Bars
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.universe.loader import load_instruments
from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe
from quant.watch.frontier import Frontier, find_frontier, get_longest_wait
from storage.artifacts import ArtifactStore
from tests.support.quant.universes import make_bars
from tests.support.quant.watches import ALL, BEFORE, NOW, TABLE, WatchedResearch, make_tables

SYMBOLS = ("A", "B", "C")
WAIT = get_longest_wait("1d")
MOMENT = timedelta(seconds=1)


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


def test_what_is_awaited_and_since_when_is_known(installed: WatchedResearch) -> None:
    installed.score()
    installed.write_until(BEFORE + 51, ["A"])
    first = installed.score(now=NOW)
    later = installed.score(now=NOW + MOMENT)
    installed.write_until(BEFORE + 30, ["B", "C"])
    some = installed.score(now=NOW + 2 * MOMENT)
    installed.write_until(BEFORE + 51, ["B", "C"])
    come = installed.score(now=NOW + 3 * MOMENT)

    assert (first.awaits, first.awaits_since) == (("B", "C"), NOW)
    assert later == first
    # Times that wait now have waited for a bar that came last.
    assert (some.awaits, some.awaits_since) == (("B", "C"), NOW + 2 * MOMENT)
    assert (come.bars, come.awaits, come.awaits_since) == (50, (), None)


def test_an_instrument_is_awaited_in_real_time_however_many_bars_the_others_get(
    installed: WatchedResearch,
) -> None:
    installed.score()

    installed.write_until(BEFORE + 40, ["A", "C"])
    installed.score(now=NOW)
    waiting = installed.score(now=NOW + WAIT - MOMENT)
    left = installed.score(now=NOW + WAIT)
    installed.write_until(BEFORE + 60, ["A", "C"])
    further = installed.score(now=NOW + WAIT + MOMENT)

    assert (waiting.bars, waiting.awaits, waiting.awaits_since) == (0, ("B",), NOW)
    # The newest waits for the next.
    assert (left.bars, left.awaits, left.awaits_since) == (39, (), None)
    assert (waiting.left, left.left) == ((), ("B",))
    assert (further.bars, further.awaits) == (59, ())


def test_times_that_come_during_a_wait_have_a_wait_of_their_own(
    installed: WatchedResearch,
) -> None:
    installed.score()
    installed.write_until(BEFORE + 5, ["A", "C"])
    installed.score(now=NOW)
    installed.write_until(BEFORE + 30, ["A", "C"])

    over = installed.score(now=NOW + WAIT)
    installed.write_until(BEFORE + 30, ["B"])
    come = installed.score(now=NOW + WAIT + MOMENT)

    assert (over.bars, over.awaits, over.awaits_since) == (4, ("B",), NOW + WAIT)
    assert over.left == ()
    assert (come.bars, come.awaits) == (29, ())


def test_bars_of_months_may_come_one_instrument_after_the_other(
    installed: WatchedResearch,
) -> None:
    installed.score()
    # B has a holiday at the end of the month, and is awaited from then on.
    installed.write_until(BEFORE + 20, ["A", "C"])
    installed.write_until(BEFORE + 19, ["B"])
    assert installed.score(now=NOW).awaits == ("B",)

    for number, symbol in enumerate(SYMBOLS, start=1):
        installed.write_until(BEFORE + 60, [symbol])
        come = installed.score(now=NOW + 3 * WAIT + number * MOMENT)
        assert come.bars == (59 if symbol == "C" else 19)


def test_whoever_has_left_is_awaited_again_once_it_has_a_bar(installed: WatchedResearch) -> None:
    installed.score()
    installed.write_until(BEFORE + 40, ["A", "C"])
    installed.score(now=NOW)
    left = installed.score(now=NOW + WAIT)
    installed.write_until(BEFORE + 40, ["B"])
    back = installed.score(now=NOW + WAIT)

    installed.write_until(BEFORE + 60, ["A", "C"])
    again = installed.score(now=NOW + WAIT)

    assert (left.left, back.left) == (("B",), ())
    assert (again.bars, again.awaits, again.awaits_since) == (39, ("B",), NOW + WAIT)


def test_whoever_has_not_left_the_research_is_awaited_from_the_beginning(
    installed: WatchedResearch,
) -> None:
    # The watch begins in the midst of an import.
    installed.write_until(BEFORE + 20, ["A"])
    assert installed.score().awaits == ()
    installed.write_until(BEFORE + 40, ["A"])

    waiting = installed.score()
    installed.write_until(BEFORE + 40)
    come = installed.score()

    assert (waiting.bars, waiting.awaits) == (0, ("B", "C"))
    assert (come.bars, come.awaits) == (19, ())


def test_a_bar_that_is_no_more_delays_nothing(installed: WatchedResearch) -> None:
    installed.score()
    installed.write_until(BEFORE + 2, ["A", "C"])
    installed.score(now=NOW)
    for symbol in ("A", "C"):
        without = installed.tables[symbol].loc[: BEFORE + 4].drop(BEFORE + 1)
        installed.write_bars(without, symbol)

    over = installed.score(now=NOW + WAIT)
    installed.write_until(BEFORE + 1, ["A", "C"])
    fewer = installed.score(now=NOW + 2 * WAIT)

    assert (over.bars, over.awaits, over.awaits_since) == (1, ("B",), NOW + WAIT)
    assert (fewer.bars, fewer.awaits) == (1, ())


def test_a_record_of_an_earlier_version_is_followed(installed: WatchedResearch) -> None:
    installed.score()
    installed.write_until(BEFORE + 5, ["A", "C"])
    installed.score()
    record = json.loads(installed.workspace.read(Artifact.WATCH) or b"")
    for name in ("judged_until", "awaits_since", "awaits_until", "left"):
        assert record.pop(name) is not None
    installed.workspace.write(Artifact.WATCH, json.dumps(record).encode())
    installed.write_until(BEFORE + 30, ["A", "C"])

    waiting = installed.score(now=NOW + WAIT)
    over = installed.score(now=NOW + 2 * WAIT)

    assert (waiting.bars, waiting.awaits, waiting.awaits_since) == (0, ("B",), NOW + WAIT)
    assert (over.bars, over.awaits) == (29, ())


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_order_bars_come_the_record_is_the_same(tmp_path: Path, seed: int) -> None:
    once, often = install(tmp_path / "once"), install(tmp_path / "often")
    once.score()
    often.score()
    rng = np.random.default_rng(seed)
    come, now = dict.fromkeys(SYMBOLS, BEFORE), NOW
    while late := [symbol for symbol in SYMBOLS if come[symbol] < ALL]:
        symbol = rng.choice(late)
        come[symbol] = min(come[symbol] + int(rng.integers(1, 60)), ALL)
        often.write_until(come[symbol], [symbol])
        now += WAIT / 100
        often.score(now=now)

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

    scored = installed.score()
    assert (scored.bars, scored.left) == (ALL - BEFORE - 1, ("B",))


def test_the_frontier_is_the_last_bar_of_the_slowest_that_has_not_left() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        last = rng.integers(20, 60, size=int(rng.integers(1, 6)))
        newest = int(last.max())
        first, settled = (int(each) for each in rng.integers(15, newest + 1, size=2))
        # Before the index `settled` the times wait for nobody.
        present = last[last >= settled - LONGEST_ABSENCE]
        # One instrument has all times of the clock, so that indices are times.
        clock = make_instrument("CLOCK", 0, newest)
        others = [make_instrument(f"I{at}-{number}", 5, at) for number, at in enumerate(last)]

        found = find_frontier(Universe.of([clock, *others]), first, settled)

        stop = max(first, settled, int(present.min()))
        waiting = tuple(
            each.symbol
            for each, at in zip(others, last, strict=True)
            if settled - LONGEST_ABSENCE <= at <= stop
        )
        left = tuple(
            each.symbol
            for each, at in zip(others, last, strict=True)
            if at < settled - LONGEST_ABSENCE
        )
        assert found == Frontier(stop, waiting if stop < newest else (), left)


def test_a_time_waits_for_ten_bar_lengths_and_for_a_long_weekend_at_least() -> None:
    waits = {name: get_longest_wait(name) for name in ("1m", "1h", "12h", "1d", "1w")}
    days = {name: wait / timedelta(days=1) for name, wait in waits.items()}
    assert days == {"1m": 4.0, "1h": 4.0, "12h": 5.0, "1d": 10.0, "1w": 70.0}
