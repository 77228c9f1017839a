"""How far the bars of several instruments have come.

Bars are imported one instrument after the other. A time of the clock counts when every instrument
has been seen beyond it: a time that was scored without one of them would never be scored with it.
It waits for that as long as `get_longest_wait` says, in real time, however many bars others get
meanwhile. Then it counts without those that have none. Whoever has had no bar for `LONGEST_ABSENCE`
times that count has left, as for the shares of an account, and nobody waits for it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from quant.bars.timeframes import count_minutes
from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe

# Over a long weekend an exchange has no bars, and has not closed for good.
_LONG_WEEKEND: Final = timedelta(days=4)


@dataclass(frozen=True)
class Frontier:
    """Where the bars that can be scored end.

    Attributes:
        stop: Index of the first time of the clock that cannot be scored yet.
        awaited: Instruments without a bar at a later time, by which others wait to be scored;
            empty if only the newest time waits for the next one, as it always does.
        left: Instruments that nobody waits for, because they have had no bar for too long.
    """

    stop: int
    awaited: tuple[str, ...]
    left: tuple[str, ...]


def get_longest_wait(timeframe: str) -> timedelta:
    """Return how long a time waits for instruments without a later bar: ten bar lengths at least.

    Args:
        timeframe: Length of a bar.
    """
    return max(LONGEST_ABSENCE * timedelta(minutes=count_minutes(timeframe)), _LONG_WEEKEND)


def find_frontier(universe: Universe, first: int, settled: int) -> Frontier:
    """Return how far the times that are not scored yet can be.

    Args:
        universe: All bars.
        first: Index of the first time that is not scored.
        settled: Number of times that wait for nobody, because they count already or have waited for
            long enough. Whoever had no bar at the last of them has left.
    """
    newest = len(universe) - 1
    last = {
        bars.symbol: int(place[-1])
        for bars, place in zip(universe.instruments, universe.places, strict=True)
    }
    present = {symbol: at for symbol, at in last.items() if settled - at <= LONGEST_ABSENCE}
    stop = max(first, min(newest, max(settled, min(present.values()))))
    awaited = (symbol for symbol, at in present.items() if at <= stop < newest)
    left = (symbol for symbol in last if symbol not in present)
    return Frontier(stop, tuple(awaited), tuple(left))
