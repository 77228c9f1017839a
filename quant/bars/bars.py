"""Bars: open, high, low, close and volume over time, validated before anything is computed.

The last 30 % of the bars are the *holdout*, which only the backtest reads; everything before is
*development*.
"""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from arch.data import nasdaq, sp500

from errors import DataChanged, InvalidData
from quant.bars import catalog, files
from quant.bars.mapping import FileMapping
from quant.messages.data import DataInfo, DataSource

Floats = npt.NDArray[np.float64]
Timestamps = npt.NDArray[np.int64]

MINIMUM_BARS: Final = 500
DEVELOPMENT_PERCENT: Final = 70
TRADING_DAYS_PER_YEAR: Final = 252.0

# Apart by less than a basis point, of which a trade costs some twenty.
_SAME_PRICE: Final = 1e-4
_NANOSECONDS_PER_DAY: Final = 86_400 * 10**9
_DAYS_PER_YEAR: Final = 365.25
_BUILT_IN_LOADERS: Final = {"NASDAQ": nasdaq.load, "SP500": sp500.load}


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one symbol, oldest first. All arrays have one entry per bar and are read-only.

    Attributes:
        symbol: Name under which the bars were requested.
        timeframe: Length of a bar, such as `1d`.
        timestamps: Nanoseconds since 1970 in UTC, strictly increasing.
        open: First price of each bar.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded volume, not negative.
    """

    symbol: str
    timeframe: str
    timestamps: Timestamps
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.timestamps)

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

        252 by convention for daily bars of a market that closes on weekends; otherwise counted
        over the calendar time that the bars span, which covers any session and markets that
        never close.
        """
        days = self.timestamps // _NANOSECONDS_PER_DAY
        weekdays = (days + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
        if self.timeframe == "1d" and not np.any(weekdays >= 5):
            return TRADING_DAYS_PER_YEAR
        if len(self) < 2:
            raise InvalidData("At least two bars are needed to count bars per year.")
        years = float(self.timestamps[-1] - self.timestamps[0]) / (
            _NANOSECONDS_PER_DAY * _DAYS_PER_YEAR
        )
        return (len(self) - 1) / years

    @cached_property
    def repeated_opens(self) -> float:
        """Share of the bars that open where the bar before has closed, to a basis point."""
        return float(np.mean(np.isclose(self.open[1:], self.close[:-1], rtol=_SAME_PRICE, atol=0)))

    @property
    def holdout_start(self) -> int:
        """Index of the first holdout bar."""
        return len(self) * DEVELOPMENT_PERCENT // 100

    def part(self, start: int, stop: int) -> "Bars":
        """Return the bars from `start` up to, not including, `stop`, without copying."""
        arrays = {
            field.name: getattr(self, field.name)[start:stop]
            for field in fields(self)
            if field.name not in ("symbol", "timeframe")
        }
        return Bars(symbol=self.symbol, timeframe=self.timeframe, **arrays)

    def split(self) -> tuple["Bars", "Bars"]:
        """Return the development bars and the holdout bars."""
        return self.part(0, self.holdout_start), self.part(self.holdout_start, len(self))

    def timestamp(self, index: int) -> str:
        """Return the time of a bar in ISO 8601, UTC, to the second."""
        return iso(self.timestamps[[index]])[0]

    @property
    def moments(self) -> list[str]:
        """The time of every bar, in the same form."""
        return iso(self.timestamps)

    def info(self) -> DataInfo:
        """Describe these bars. For all bars of a symbol, not for a part of them."""
        return DataInfo(
            symbol=self.symbol,
            timeframe=self.timeframe,
            bars=len(self),
            start=self.timestamp(0),
            end=self.timestamp(-1),
            holdout_start=self.timestamp(self.holdout_start),
            content_hash=self.content_hash,
        )

    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.timestamps, self.open, self.high, self.low, self.close, self.volume)


def iso(nanoseconds: Timestamps) -> list[str]:
    """Return times as ISO 8601, UTC, to the second."""
    moments = np.datetime_as_string(nanoseconds.astype("datetime64[ns]"), unit="s")
    return [f"{moment}Z" for moment in moments]


def load_bars(source: DataSource, data_dir: Path | None) -> Bars:
    """Load and validate bars.

    The built-in symbols are indices: their adjusted close equals their close on every day, so the
    raw columns are used.

    Args:
        source: Symbol and timeframe, and the required hash if the bars were used before.
        data_dir: Where the user's files are; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: The symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted; names the file, the column and the row.
        DataChanged: They are not the bars that `source` names by their hash.
    """
    file = catalog.resolve(source, data_dir)
    if file is None:
        table = _BUILT_IN_LOADERS[source.symbol]().reset_index(names="timestamp")
        bars = of_table(table, source, source.symbol)
    else:
        table = files.read(file.path, file.mapping)
        bars = of_table(table, source, file.path.name, file.mapping)
    if source.content_hash not in (None, bars.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{bars.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbol",
        )
    return bars


def of_table(
    table: pd.DataFrame, source: DataSource, name: str, mapping: FileMapping | None = None
) -> Bars:
    """Return the bars in a table, validated.

    Args:
        table: One row per bar.
        source: Symbol and timeframe.
        name: What messages call the table.
        mapping: Names and time zone of its columns.

    Raises:
        InvalidData: The bars cannot be trusted; names the column and the row.
    """
    daily = catalog.minutes(source.timeframe) >= catalog.MINUTES_PER_DAY
    columns = files.columns(table, name, mapping or FileMapping(), daily=daily)
    bars = Bars(source.symbol, source.timeframe, *columns)
    _validate(bars, name)
    return bars


def _validate(bars: Bars, name: str) -> None:
    """Refuse the first row that breaks a rule. Order matters: later rules assume earlier ones."""
    steps = np.diff(bars.timestamps, prepend=bars.timestamps[:1] - 1)
    lowest_body = np.minimum(bars.open, bars.close)
    highest_body = np.maximum(bars.open, bars.close)
    rules = (
        ("timestamp", steps == 0, "repeats the timestamp of the row before"),
        ("timestamp", steps < 0, "is older than the row before; sort the rows by time"),
        ("open", bars.open <= 0, "is not a positive price"),
        ("high", bars.high <= 0, "is not a positive price"),
        ("low", bars.low <= 0, "is not a positive price"),
        ("close", bars.close <= 0, "is not a positive price"),
        ("volume", bars.volume < 0, "is negative"),
        ("high", bars.high < bars.low, "is below the low"),
        ("high", bars.high < highest_body, "is below the open or the close"),
        ("low", bars.low > lowest_body, "is above the open or the close"),
    )
    for column, broken, complaint in rules:
        if broken.any():
            row = int(np.argmax(broken))
            raise InvalidData(
                f"{name}, row {row + 1} ({bars.timestamp(row)}): {column} {complaint}.",
                field=column,
            )
    if len(bars) < MINIMUM_BARS:
        raise InvalidData(
            f"{name} has {len(bars)} bars; at least {MINIMUM_BARS} are needed to split them into "
            "development and holdout.",
            field="symbol",
        )
