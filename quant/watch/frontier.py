"""How far the bars of several instruments have come.

Bars are imported one instrument after the other. A time of the clock counts when every instrument
has been seen beyond it: a time that was scored without one of them would never be scored with it.
Whoever has had no bar for `LONGEST_ABSENCE` times has left, as for the shares of an account, and
nobody waits for it.
"""

from dataclasses import dataclass

from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe


@dataclass(frozen=True)
class Frontier:
    """Where the bars that can be scored end.

    Attributes:
        stop: Index of the first time of the clock that cannot be scored yet.
        awaited: Instruments without a bar at a later time, by which others wait to be scored;
            empty if only the newest time waits for the next one, as it always does.
    """

    stop: int
    awaited: tuple[str, ...]


def find_frontier(universe: Universe) -> Frontier:
    """Return how far all instruments that have not left can be scored."""
    newest = len(universe) - 1
    last = {
        bars.symbol: int(place[-1])
        for bars, place in zip(universe.instruments, universe.places, strict=True)
    }
    present = {symbol: at for symbol, at in last.items() if newest - at < LONGEST_ABSENCE}
    stop = min(present.values())
    awaited = (symbol for symbol, at in present.items() if at == stop < newest)
    return Frontier(stop, tuple(awaited))
