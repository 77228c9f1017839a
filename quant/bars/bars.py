"""Bars: open, high, low, close and volume over time.

The last 30 % of the bars are the *holdout*. Only the backtest reads it. All bars before it are
*development* bars.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from errors import InvalidData
from quant.messages.data import DataInfo, count_development_bars

Floats = npt.NDArray[np.float64]
Timestamps = npt.NDArray[np.int64]

TRADING_DAYS_PER_YEAR: Final = 252.0
MINIMUM_BARS: Final = 500
"""Fewer cannot be split into development and holdout."""

# Prices closer than a basis point are equal here; a trade costs some twenty basis points.
_SAME_PRICE: Final = 1e-4
_NANOSECONDS_PER_DAY: Final = 86_400 * 10**9
_DAYS_PER_YEAR: Final = 365.25


class Clock:
    """Times, oldest first, of which the last part is the holdout.

    Attributes:
        timestamps: Nanoseconds since 1970 in UTC, strictly increasing, shape (times,).
    """

    timestamps: Timestamps

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def holdout_start(self) -> int:
        """Index of the first time in the holdout."""
        return count_development_bars(len(self))

    def format_time(self, index: int) -> str:
        """Return one of the times in ISO 8601, UTC, to the second."""
        return format_times(self.timestamps[[index]])[0]

    @property
    def iso_times(self) -> list[str]:
        """Every time in ISO 8601, UTC, to the second."""
        return format_times(self.timestamps)


@dataclass(frozen=True, eq=False)
class Bars(Clock):
    """Bars of one symbol, oldest first. Arrays are read-only, have shape (bars,) and no NaN.

    Attributes:
        symbol: Name under which the bars were requested.
        timeframe: Length of a bar, such as `1d`.
        timestamps: Nanoseconds since 1970 in UTC, strictly increasing.
        open: First price of each bar.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded volume, not negative; 0 throughout if it is not known.
        start_date: The day from which they were requested; None for no such limit.
        end_date: The day until which they were requested, included.
    """

    symbol: str
    timeframe: str
    timestamps: Timestamps
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    start_date: date | None = None
    end_date: date | None = None

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.setflags(write=False)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over timestamps, open, high, low, close and volume, in this order."""
        digest = hashlib.sha256()
        for array in self._arrays():
            digest.update(array.tobytes())
        return digest.hexdigest()

    @cached_property
    def periods_per_year(self) -> float:
        """Bars per year, for annualising.

        252 by convention for daily bars of a market that closes on weekends. Otherwise the bars
        are counted over the calendar time that they span, whatever the hours of the market.
        """
        return count_per_year(self.timestamps, self.timeframe)

    @cached_property
    def has_volume(self) -> bool:
        """Whether any volume is known."""
        return bool(np.any(self.volume > 0.0))

    @cached_property
    def repeated_open_share(self) -> float:
        """Fraction of the bars that open at the close of the bar before, to a basis point."""
        return float(np.mean(np.isclose(self.open[1:], self.close[:-1], rtol=_SAME_PRICE, atol=0)))

    def slice(self, start: int, stop: int) -> "Bars":
        """Return the bars from index `start` up to, not including, `stop`, without a copy."""
        names = ("timestamps", "open", "high", "low", "close", "volume")
        return replace(self, **{name: getattr(self, name)[start:stop] for name in names})

    def split(self) -> tuple["Bars", "Bars"]:
        """Return the development bars and the holdout bars."""
        return self.slice(0, self.holdout_start), self.slice(self.holdout_start, len(self))

    def describe(self) -> DataInfo:
        """Describe all bars of a symbol. A slice of them has another holdout and hash."""
        return DataInfo(
            symbol=self.symbol,
            timeframe=self.timeframe,
            start_date=self.start_date,
            end_date=self.end_date,
            bars=len(self),
            start=self.format_time(0),
            end=self.format_time(-1),
            holdout_start=self.format_time(self.holdout_start),
            content_hash=self.content_hash,
        )

    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.timestamps, self.open, self.high, self.low, self.close, self.volume)


def count_per_year(timestamps: Timestamps, timeframe: str) -> float:
    """Return the bars per year, as `Bars.periods_per_year` says.

    Args:
        timestamps: Nanoseconds since 1970 in UTC, strictly increasing, shape (bars,).
        timeframe: Length of a bar, such as `1d`.
    """
    days = timestamps // _NANOSECONDS_PER_DAY
    weekdays = (days + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
    if timeframe == "1d" and not np.any(weekdays >= 5):
        return TRADING_DAYS_PER_YEAR
    if len(timestamps) < 2:
        raise InvalidData("At least two bars are needed to count bars per year.")
    years = float(timestamps[-1] - timestamps[0]) / (_NANOSECONDS_PER_DAY * _DAYS_PER_YEAR)
    return (len(timestamps) - 1) / years


def format_times(nanoseconds: Timestamps) -> list[str]:
    """Format nanoseconds since 1970, shape (times,), as ISO 8601 in UTC, to the second."""
    moments = np.datetime_as_string(nanoseconds.astype("datetime64[ns]"), unit="s")
    return [f"{moment}Z" for moment in moments]
