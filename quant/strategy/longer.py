"""Features of a longer timeframe, from bars of the shorter one.

The longer bars are cut at fixed times: weeks on Monday, all others from midnight UTC. A feature
sees only longer bars that are complete, which one is as soon as a later bar has begun. So its value
stays until then, and no bar of the shorter timeframe sees more than its own past.
"""

from typing import Final

import numpy as np

from quant.bars.bars import Bars, Floats, Timestamps
from quant.bars.timeframes import MINUTES_PER_DAY, count_minutes
from quant.messages.strategy import StrategySpec

_MINUTE: Final = 60 * 10**9
# 1 January 1970 was a Thursday.
_FROM_MONDAY: Final = 3 * MINUTES_PER_DAY * _MINUTE


def aggregate(bars: Bars, timeframe: str) -> tuple[Bars, Timestamps]:
    """Join bars to longer ones.

    Returns:
        The longer bars, each with the time of its first short one; and for each short bar the
        number of longer bars that are complete at its close, shape (bars,).
    """
    longer = number_spans(bars.timestamps, timeframe)
    first = np.flatnonzero(np.diff(longer, prepend=longer[:1] - 1))
    last = np.append(first[1:], len(longer)) - 1
    joined = Bars(
        bars.symbol,
        timeframe,
        bars.timestamps[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
    )
    return joined, np.cumsum(np.diff(longer, prepend=longer[:1]) != 0)


def number_spans(timestamps: Timestamps, timeframe: str) -> Timestamps:
    """Return the number of the longer bar that each time belongs to, shape (bars,)."""
    return (timestamps + _FROM_MONDAY) // (count_minutes(timeframe) * _MINUTE)


def carry_back(values: Floats, complete: Timestamps) -> Floats:
    """Return the value of the last complete longer bar at each short one, NaN before the first."""
    known = np.concatenate([[np.nan], values])
    carried: Floats = known[complete]
    return carried


def count_look_back(spec: StrategySpec, timeframe: str) -> int:
    """Return `StrategySpec.look_back` in bars of this timeframe, whatever bars its features see."""
    bar = count_minutes(timeframe)
    longest = max(
        feature.period
        * (-(-count_minutes(feature.timeframe) // bar) if feature.timeframe is not None else 1)
        for feature in spec.features
    )
    return 2 * longest + spec.horizon
