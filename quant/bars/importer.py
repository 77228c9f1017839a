"""Imports bars into the data directory, as Parquet files."""

import os
from pathlib import Path
from typing import Final

import pandas as pd

from errors import InvalidData, InvalidInput
from quant.bars import catalog
from quant.bars.bars import Bars
from quant.bars.checks.spacing import guess_timeframe
from quant.bars.loader import load_bars
from quant.bars.mapping import FileMapping
from quant.bars.parser import read_bars, refusing_the_unforeseen
from quant.bars.reading import files
from quant.bars.reading.columns import Say, read_written_times
from quant.bars.reading.content import read_content
from quant.bars.timeframes import DAILY
from quant.messages.data import DataInfo, DataSource

# Other suffixes than those of the data directory are read as text.
SUFFIXES: Final = catalog.SUFFIXES | {".txt", ".tsv"}


def read_for_import(
    path: Path, symbol: str | None, timeframe: str | None, mapping: FileMapping, say: Say
) -> Bars:
    """Read a file that lies anywhere, and validate its bars.

    Args:
        path: The file.
        symbol: Its symbol; None takes it from the name.
        timeframe: Its timeframe; None takes it from the name, or else from the times.
        mapping: How to read it.
        say: Told how the file was understood.

    Raises:
        InvalidInput: It is neither a CSV nor a Parquet file, or its timeframe cannot be told.
        InvalidData: The bars cannot be trusted.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInput(
            f"{path.name} is neither a CSV nor a Parquet file; known endings are "
            f"{', '.join(sorted(SUFFIXES))}.",
            field="file",
        )
    named, in_name = catalog.split_name(path.stem)
    if timeframe is None:
        timeframe = in_name or _find_timeframe(path, mapping)
        if timeframe != DAILY:
            say(f"The timeframe is {timeframe}, by the {'name' if in_name else 'times'}.")
    source = DataSource(symbol=choose_symbol(symbol or named, say), timeframe=timeframe)
    return read_bars(path, source, mapping, say)


def choose_symbol(name: str, say: Say) -> str:
    """Return the symbol to store bars under that others know by this name."""
    symbol = catalog.name_symbol(name)
    if symbol != name:
        say(f"{name} is stored as {symbol}.")
    return symbol


def import_bars(bars: Bars, data_dir: Path, *, replace: bool = False) -> DataInfo:
    """Store bars as a Parquet file that every research can use.

    Args:
        bars: The bars. They keep their symbol and timeframe.
        data_dir: The data directory; created if it is missing.
        replace: Whether to replace an earlier import of the same symbol and timeframe.

    Raises:
        InvalidData: The name is reserved or taken, or `mapping.yaml` would change the bars.
    """
    source, path = require_free(bars, data_dir, replace=replace)
    data_dir.mkdir(parents=True, exist_ok=True)
    _write(bars, path)
    found = load_bars(source, data_dir).describe()
    if found.content_hash != bars.content_hash:
        path.unlink()
        raise InvalidData(
            f"With mapping.yaml, {path.name} would be read differently from what was imported.",
            field="symbol",
        )
    return found


def require_free(bars: Bars, data_dir: Path, *, replace: bool) -> tuple[DataSource, Path]:
    """Return under which source and in which file these bars would be stored.

    Raises:
        InvalidData: The name is reserved or taken.
    """
    source = DataSource(symbol=bars.symbol, timeframe=bars.timeframe)
    path = data_dir / _file_name(source)
    if source.symbol in catalog.BUILT_IN_SYMBOLS:
        raise InvalidData(
            f"{source.symbol} is the name of a built-in symbol; choose another with --symbol.",
            field="symbol",
        )
    for entry in catalog.Catalog(data_dir).list_symbols():
        if (entry.symbol, entry.timeframe) != (source.symbol, source.timeframe):
            continue
        if entry.file != path.name or not replace:
            hint = "; --replace replaces it" if entry.file == path.name else "; move it away first"
            raise InvalidData(
                f"{entry.file} already holds {source.symbol} {source.timeframe}{hint}.",
                field="symbol",
            )
    return source, path


def _find_timeframe(path: Path, mapping: FileMapping) -> str:
    with refusing_the_unforeseen(path.name):
        table = files.read_table(read_content(path), path.name, mapping)
        times = read_written_times(table, path.name, mapping).written
        guessed = guess_timeframe(times.dt.as_unit("ns").astype("int64").to_numpy())
    if guessed is None:
        raise InvalidInput(
            f"The times of {path.name} show no timeframe: most of its rows are neither minutes nor "
            "days apart. Name it with --timeframe.",
            field="timeframe",
        )
    return guessed


def _file_name(source: DataSource) -> str:
    daily = source.timeframe == DAILY
    return f"{source.symbol}.parquet" if daily else f"{source.symbol}_{source.timeframe}.parquet"


def _write(bars: Bars, path: Path) -> None:
    """Write to a file beside the target, then rename it: no research reads half a file."""
    table = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(bars.timestamps, utc=True),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
        }
    )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        table.to_parquet(unfinished, index=False)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
