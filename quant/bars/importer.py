"""Imports bars into the data directory, as Parquet files."""

import os
from pathlib import Path

import pandas as pd

from errors import InvalidData
from quant.bars import catalog
from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.messages.data import DataInfo, DataSource


def import_bars(bars: Bars, data_dir: Path, *, replace: bool = False) -> DataInfo:
    """Store bars as a Parquet file that every research can use.

    Args:
        bars: The bars. They keep their symbol and timeframe.
        data_dir: The data directory; created if it is missing.
        replace: Whether to replace an earlier import of the same symbol and timeframe.

    Raises:
        InvalidData: The name is reserved or taken, or `mapping.yaml` would change the bars.
    """
    source = DataSource(symbol=bars.symbol, timeframe=bars.timeframe)
    path = data_dir / _file_name(source)
    _require_free(source, path, data_dir, replace=replace)
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


def _file_name(source: DataSource) -> str:
    daily = source.timeframe == catalog.DAILY
    return f"{source.symbol}.parquet" if daily else f"{source.symbol}_{source.timeframe}.parquet"


def _require_free(source: DataSource, path: Path, data_dir: Path, *, replace: bool) -> None:
    if source.symbol in catalog.BUILT_IN_SYMBOLS:
        raise InvalidData(f"{source.symbol} is the name of a built-in symbol.", field="symbol")
    for entry in catalog.list_symbols(data_dir):
        if (entry.symbol, entry.timeframe) != (source.symbol, source.timeframe):
            continue
        if entry.file != path.name or not replace:
            hint = "; --replace replaces it" if entry.file == path.name else "; move it away first"
            raise InvalidData(
                f"{entry.file} already holds {source.symbol} {source.timeframe}{hint}.",
                field="symbol",
            )


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
