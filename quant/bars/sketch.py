"""Makes the sketch by which a market is recognised under another name.

It holds the returns over four weeks, from Monday to Sunday. They hardly change when bars are cut,
appended, corrected, scaled or aggregated to another timeframe, weeks included; months would not do
for those. Times that are shifted by hours may move some bars into other weeks, so the sketch is
made under several shifts. Bars of less than a few years are also sketched by day, and those of a
few weeks by hour.
"""

from typing import Final

import numpy as np

from quant.bars.bars import Bars, Timestamps
from quant.messages.record.market import UNITS, Returns, Sketch, Unit

_HOUR: Final = 3600 * 10**9
_SHIFTS: Final = range(-24, 25, 3)
_DIGITS: Final = 6
# Longer series are recognised by a coarser unit.
_MOST: Final = 1_000


def sketch_bars(bars: Bars) -> Sketch:
    """Return the sketch of all bars of a symbol."""
    info = bars.describe()
    return Sketch(
        data=info.source,
        holdout_start=info.holdout_start,
        end=info.end,
        returns=tuple(
            found
            for unit in UNITS
            for shift in _SHIFTS
            if (found := _measure(bars, unit, shift)) is not None
        ),
    )


def _measure(bars: Bars, unit: Unit, shift: int) -> Returns | None:
    """Return the returns of a unit; None if there are no three of it, or too many."""
    numbers = _number(bars.timestamps + shift * _HOUR, unit)
    last = np.append(np.flatnonzero(np.diff(numbers)), len(numbers) - 1)
    if not 3 <= len(last) <= _MOST:
        return None
    present, closes = numbers[last], np.log(bars.close[last])
    # The first unit has no return, and the last one may be cut.
    values: list[float | None] = [None] * int(present[-1] - present[0] + 1)
    for number, moved in zip(
        (present[1:-1] - present[0]).tolist(), np.diff(closes)[:-1].tolist(), strict=True
    ):
        values[number] = round(moved, _DIGITS)
    if len(values) > 4 * _MOST:
        return None
    return Returns(unit=unit, shift=shift, first=int(present[0]), values=tuple(values))


def _number(times: Timestamps, unit: Unit) -> Timestamps:
    """Return the number of the unit since 1970 of each time, shape (bars,)."""
    if unit == "hour":
        return times // _HOUR
    days = times // (24 * _HOUR)
    # 1 January 1970 was a Thursday.
    return days if unit == "day" else (days + 3) // 28
