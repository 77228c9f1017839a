"""Loads bars from a built-in data set or a user's file, and refuses bars that cannot be trusted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from errors import DataChanged, InvalidData, KtrdrError
from quant.bars import catalog, columns, files
from quant.bars.bars import Bars
from quant.bars.columns import Columns, Say, ignore_what_is_said
from quant.bars.dates import cut_to_dates
from quant.bars.mapping import FileMapping
from quant.bars.timeframes import is_daily
from quant.bars.validation import MINIMUM_BARS, validate_bars
from quant.messages.data import DataSource

_log = logging.getLogger(__name__)

# Files of `arch`. Importing its loaders would load all of it, and statsmodels.
_BUILT_IN_FILES: Final = {
    "NASDAQ": "arch/data/nasdaq/nasdaq.csv.gz",
    "SP500": "arch/data/sp500/sp500.csv.gz",
}


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
        bars = build_bars(_read_built_in(source.symbol), source, source.symbol)
    else:
        bars = read_bars(file.path, source, file.mapping)
    bars = cut_to_dates(bars, source, MINIMUM_BARS)
    if source.content_hash not in (None, bars.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{bars.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbol",
        )
    return bars


def read_bars(
    path: Path, source: DataSource, mapping: FileMapping, say: Say = ignore_what_is_said
) -> Bars:
    """Read bars from a file, and validate them.

    Args:
        path: The file.
        source: Symbol and timeframe.
        mapping: How to read the file.
        say: Told how the file was understood.

    Raises:
        InvalidData: The bars cannot be trusted; the message names file, column and row.
    """
    with refusing_the_unforeseen(path.name):
        table = files.read_table(path, mapping, say)
        return build_bars(table, source, path.name, mapping, say)


@contextmanager
def refusing_the_unforeseen(name: str) -> Iterator[None]:
    """Refuse a file over which a library fails: nobody knows what a file may hold.

    Raises:
        InvalidData: Something other than our own errors was raised.
    """
    try:
        yield
    except KtrdrError:
        raise
    except Exception as error:
        _log.exception("%s cannot be read", name)
        raise InvalidData(
            f"{name} cannot be read as bars ({type(error).__name__}: {str(error)[:200]}).",
            field="symbol",
        ) from error


def build_bars(
    table: pd.DataFrame,
    source: DataSource,
    name: str,
    mapping: FileMapping | None = None,
    say: Say = ignore_what_is_said,
) -> Bars:
    """Build bars from a table, and validate them.

    Args:
        table: One row per bar.
        source: Symbol and timeframe.
        name: Name of the table in messages.
        mapping: Names and time zone of its columns.
        say: Told how the columns were understood.

    Raises:
        InvalidData: The bars cannot be trusted; the message names column and row.
    """
    mapping = mapping or FileMapping()
    found = columns.parse_columns(table, name, mapping, daily=is_daily(source.timeframe), say=say)
    if mapping.sort:
        found = _sort(found, say)
    return validate_bars(Bars(source.symbol, source.timeframe, *found), name)


def _read_built_in(symbol: str) -> pd.DataFrame:
    path = distribution("arch").locate_file(_BUILT_IN_FILES[symbol])
    return pd.read_csv(str(path), parse_dates=["Date"], date_format="%m/%d/%Y")


def _sort(found: Columns, say: Say) -> Columns:
    order = np.argsort(found.timestamps, kind="stable")
    if np.any(np.diff(order) < 0):
        say("The rows were sorted by time; rows in messages are counted after that.")
    timestamps, *values = found
    first, high, low, close, volume = (column[order] for column in values)
    return Columns(timestamps[order], first, high, low, close, volume)
