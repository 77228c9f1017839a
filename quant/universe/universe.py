"""A universe: the bars of one or more instruments, on one clock.

The clock is the union of the timestamps of all instruments. Development and holdout, folds and
slices are spans of the clock, so they are cut at the same time for all. An instrument that begins
late, ends early or has holes is used where it has bars.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Bars, Clock, Floats, Timestamps, count_per_year
from quant.messages.data import DataInfo, name_universe

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Universe(Clock):
    """Bars of one timeframe of one or more instruments.

    A part of a universe keeps all its instruments; some may have no bars in it.

    Attributes:
        instruments: The bars of each.
        timestamps: The clock: nanoseconds since 1970 in UTC, strictly increasing, shape (bars,).
    """

    instruments: tuple[Bars, ...]
    timestamps: Timestamps

    @classmethod
    def of(cls, bars: "Bars | Universe | Sequence[Bars]") -> "Universe":
        """Return the universe of some bars. One instrument is a universe, too."""
        if isinstance(bars, Universe):
            return bars
        if isinstance(bars, Bars):
            return cls((bars,), bars.timestamps)
        clock = np.unique(np.concatenate([each.timestamps for each in bars]))
        clock.setflags(write=False)
        return cls(tuple(bars), clock)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbol of each instrument."""
        return tuple(each.symbol for each in self.instruments)

    @property
    def name(self) -> str:
        """The symbol of one instrument, or the name of several."""
        return name_universe(self.symbols)

    @property
    def timeframe(self) -> str:
        """Length of a bar, such as `1d`."""
        return self.instruments[0].timeframe

    @property
    def is_single(self) -> bool:
        """Whether there is one instrument only."""
        return len(self.instruments) == 1

    @property
    def rows(self) -> int:
        """Bars of all instruments together."""
        return sum(len(each) for each in self.instruments)

    @property
    def start_date(self) -> date | None:
        """The day from which the bars were requested; None for no such limit."""
        return self.instruments[0].start_date

    @property
    def end_date(self) -> date | None:
        """The day until which they were requested, included."""
        return self.instruments[0].end_date

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the bars of one instrument, or over symbols and hashes of all."""
        if self.is_single:
            return self.instruments[0].content_hash
        digest = hashlib.sha256()
        for each in self.instruments:
            digest.update(f"{each.symbol} {each.content_hash}\n".encode())
        return digest.hexdigest()

    @cached_property
    def periods_per_year(self) -> float:
        """Times of the clock per year, counted as `Bars.periods_per_year` counts bars."""
        if self.is_single:
            return self.instruments[0].periods_per_year
        return count_per_year(self.timestamps, self.timeframe)

    @cached_property
    def has_volume(self) -> bool:
        """Whether the volume of every instrument is known."""
        return all(each.has_volume for each in self.instruments)

    @cached_property
    def places(self) -> tuple[Places, ...]:
        """For each instrument the index of its bars on the clock, shape (its bars,)."""
        if self.is_single:
            return (np.arange(len(self)),)
        return tuple(np.searchsorted(self.timestamps, each.timestamps) for each in self.instruments)

    @cached_property
    def opens(self) -> Floats:
        """First price of each bar, shape (bars, instruments); NaN where there is no bar."""
        return self.spread([each.open for each in self.instruments])

    @cached_property
    def closes(self) -> Floats:
        """Last price of each bar, of the same shape, with NaN in the same places."""
        return self.spread([each.close for each in self.instruments])

    @cached_property
    def exists(self) -> NDArray[np.bool_]:
        """Where there is a bar, shape (bars, instruments)."""
        return ~np.isnan(self.closes)

    def spread(self, columns: Sequence[Floats]) -> Floats:
        """Put values of the bars of each instrument on the clock.

        Args:
            columns: For each instrument, shape (its bars,).

        Returns:
            Shape (bars, instruments); NaN where there is no bar.
        """
        if self.is_single:
            return columns[0][:, np.newaxis]
        found = np.full((len(self), len(columns)), np.nan)
        for number, (place, column) in enumerate(zip(self.places, columns, strict=True)):
            found[place, number] = column
        return found

    def slice(self, start: int, stop: int) -> "Universe":
        """Return the part from index `start` of the clock up to, not including, `stop`."""
        if self.is_single:
            return Universe.of(self.instruments[0].slice(start, stop))
        bounds = [np.searchsorted(place, [start, stop]).tolist() for place in self.places]
        return Universe(
            tuple(
                each.slice(first, last)
                for each, (first, last) in zip(self.instruments, bounds, strict=True)
            ),
            self.timestamps[start:stop],
        )

    def split(self) -> tuple["Universe", "Universe"]:
        """Return the development part and the holdout part."""
        return self.slice(0, self.holdout_start), self.slice(self.holdout_start, len(self))

    def describe(self) -> DataInfo:
        """Describe all bars. A part of them has another holdout and hash."""
        return DataInfo(
            symbol=self.name,
            symbols=() if self.is_single else self.symbols,
            timeframe=self.timeframe,
            start_date=self.start_date,
            end_date=self.end_date,
            bars=len(self),
            rows=None if self.is_single else self.rows,
            start=self.format_time(0),
            end=self.format_time(-1),
            holdout_start=self.format_time(self.holdout_start),
            content_hash=self.content_hash,
        )
