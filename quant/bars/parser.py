"""Parses a built-in data set or a user's file, and refuses bars that cannot be trusted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from errors import InvalidData, KtrdrError
from quant.bars.bars import Bars
from quant.bars.checks.validation import validate_bars
from quant.bars.mapping import FileMapping
from quant.bars.reading import columns, files
from quant.bars.reading.columns import Columns, Say, ignore_what_is_said
from quant.bars.reading.content import read_content
from quant.bars.timeframes import is_daily
from quant.messages.data import DataSource

_log = logging.getLogger(__name__)

# Files of `arch`. Importing its loaders would load all of it, and statsmodels.
_BUILT_IN_FILES: Final = {
    "NASDAQ": "arch/data/nasdaq/nasdaq.csv.gz",
    "SP500": "arch/data/sp500/sp500.csv.gz",
}


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
    return parse_bars(read_content(path), path.name, source, mapping, say)


def parse_bars(
    content: bytes,
    name: str,
    source: DataSource,
    mapping: FileMapping,
    say: Say = ignore_what_is_said,
) -> Bars:
    """Return the validated bars of a file.

    Args:
        content: What is in the file.
        name: Its name, of which the suffix says the format.
        source: Symbol and timeframe.
        mapping: How to read it.
        say: Told how it was understood.

    Raises:
        InvalidData: The bars cannot be trusted; the message names file, column and row.
    """
    with refusing_the_unforeseen(name):
        table = files.read_table(content, name, mapping, say)
        return build_bars(table, source, name, mapping, say)


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


@cache
def parse_built_in_bars(symbol: str, timeframe: str) -> Bars:
    """Return built-in bars, read once: compute processes are forked from one that has them."""
    path = distribution("arch").locate_file(_BUILT_IN_FILES[symbol])
    table = pd.read_csv(str(path), parse_dates=["Date"], date_format="%m/%d/%Y")
    return build_bars(table, DataSource(symbol=symbol, timeframe=timeframe), symbol)


def _sort(found: Columns, say: Say) -> Columns:
    order = np.argsort(found.timestamps, kind="stable")
    if np.any(np.diff(order) < 0):
        say("The rows were sorted by time; rows in messages are counted after that.")
    timestamps, *values = found
    first, high, low, close, volume = (column[order] for column in values)
    return Columns(timestamps[order], first, high, low, close, volume)
