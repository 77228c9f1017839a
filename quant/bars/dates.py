"""Cuts bars to a range of days."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np

from errors import InvalidData
from quant.bars.bars import Bars, Timestamps
from quant.messages.data import DateRange

_ONE_DAY: Final = timedelta(days=1)


def cut_to_dates(bars: Bars, wanted: DateRange, fewest: int) -> Bars:
    """Return the bars of these days, the first and the last included. Days are in UTC.

    Args:
        bars: All bars.
        wanted: The days. An open end cuts nothing.
        fewest: How many bars must be left.

    Raises:
        InvalidData: Too few bars are left. The message says which there are.
    """
    start_date, end_date = wanted.start_date, wanted.end_date
    if start_date is None and end_date is None:
        return bars
    first, last = find_days(bars.timestamps, wanted)
    if last - first < fewest:
        raise InvalidData(
            f"{bars.symbol} {bars.timeframe} has {max(last - first, 0)} bars "
            f"{_describe(wanted)}; at least {fewest} are needed to split them into development and "
            f"holdout. All its {len(bars)} bars are from {bars.format_time(0)} to "
            f"{bars.format_time(-1)}.",
            field="end_date" if start_date is None else "start_date",
        )
    cut = bars.slice(first, last)
    return replace(cut, start_date=start_date, end_date=end_date)


def find_days(timestamps: Timestamps, wanted: DateRange) -> tuple[int, int]:
    """Return the index of the first bar of these days, and the one after the last."""
    # In seconds. Nanoseconds end in the year 2262, and a date may be later.
    times = timestamps.astype("datetime64[ns]").astype("datetime64[s]")
    first, last = 0, len(times)
    if wanted.start_date is not None:
        first = int(np.searchsorted(times, np.datetime64(wanted.start_date, "s")))
    if wanted.end_date is not None:
        end = np.datetime64(wanted.end_date, "s") + np.timedelta64(_ONE_DAY)
        last = int(np.searchsorted(times, end))
    return first, last


def _describe(days: DateRange) -> str:
    since = f"from {days.start_date}" if days.start_date else ""
    until = f"until {days.end_date}" if days.end_date else ""
    return f"{since} {until}".strip()
