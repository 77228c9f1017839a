"""Loads bars from a built-in data set or a user's file, and refuses bars that cannot be trusted."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from arch.data import nasdaq, sp500

from errors import DataChanged, InvalidData
from quant.bars import catalog, columns, files
from quant.bars.bars import Bars
from quant.bars.dates import cut_to_dates
from quant.bars.mapping import FileMapping
from quant.messages.data import DataSource

MINIMUM_BARS: Final = 500

_BUILT_IN_LOADERS: Final = {"NASDAQ": nasdaq.load, "SP500": sp500.load}


def load_bars(source: DataSource, data_dir: Path | None) -> Bars:
    """Load and validate bars.

    The built-in symbols are indices. Their adjusted close equals their close on every day.

    Args:
        source: Symbol and timeframe, the days if not all are wanted, and the required hash if
            earlier steps have used the bars.
        data_dir: Directory of the user's files; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: The symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted; the message names file, column and row. Or there
            are too few between these days.
        DataChanged: The bars do not have the required hash.
    """
    file = catalog.find_file(source, data_dir)
    if file is None:
        table = _BUILT_IN_LOADERS[source.symbol]().reset_index(names="timestamp")
        bars = build_bars(table, source, source.symbol)
    else:
        table = files.read_table(file.path, file.mapping)
        bars = build_bars(table, source, file.path.name, file.mapping)
    bars = cut_to_dates(bars, source, MINIMUM_BARS)
    if source.content_hash not in (None, bars.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{bars.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbol",
        )
    return bars


def build_bars(
    table: pd.DataFrame, source: DataSource, name: str, mapping: FileMapping | None = None
) -> Bars:
    """Build bars from a table, and validate them.

    Args:
        table: One row per bar.
        source: Symbol and timeframe.
        name: Name of the table in messages.
        mapping: Names and time zone of its columns.

    Raises:
        InvalidData: The bars cannot be trusted; the message names column and row.
    """
    daily = catalog.count_minutes(source.timeframe) >= catalog.MINUTES_PER_DAY
    arrays = columns.parse_columns(table, name, mapping or FileMapping(), daily=daily)
    bars = Bars(source.symbol, source.timeframe, *arrays)
    _validate(bars, name)
    return bars


def _validate(bars: Bars, name: str) -> None:
    """Refuse the first row that breaks a rule. Later rules rely on the earlier ones."""
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
                f"{name}, row {row + 1} ({bars.format_time(row)}): {column} {complaint}.",
                field=column,
            )
    if len(bars) < MINIMUM_BARS:
        raise InvalidData(
            f"{name} has {len(bars)} bars; at least {MINIMUM_BARS} are needed to split them into "
            "development and holdout.",
            field="symbol",
        )
