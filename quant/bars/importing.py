"""Importing bars into the data directory: validated, and in one format."""

import os
from pathlib import Path

import pandas as pd

from errors import InvalidData
from quant.bars import catalog
from quant.bars.bars import Bars, load_bars
from quant.messages.data import DataInfo, DataSource


def import_bars(bars: Bars, data_dir: Path, *, replace: bool = False) -> DataInfo:
    """Store bars as a Parquet file that every research can use.

    Args:
        bars: Validated bars with the symbol and timeframe to store them under.
        data_dir: Data directory; created if missing.
        replace: Whether an earlier import of the same symbol and timeframe may be replaced.

    Raises:
        InvalidData: The name is reserved or taken, or `mapping.yaml` would change their meaning.
    """
    source = DataSource(symbol=bars.symbol, timeframe=bars.timeframe)
    path = data_dir / _file_name(source)
    _require_free(source, path, data_dir, replace=replace)
    data_dir.mkdir(parents=True, exist_ok=True)
    _write(bars, path)
    found = load_bars(source, data_dir).info()
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
    for entry in catalog.symbols(data_dir):
        if (entry.symbol, entry.timeframe) != (source.symbol, source.timeframe):
            continue
        if entry.file != path.name or not replace:
            hint = "; --replace replaces it" if entry.file == path.name else "; move it away first"
            raise InvalidData(
                f"{entry.file} already holds {source.symbol} {source.timeframe}{hint}.",
                field="symbol",
            )


def _write(bars: Bars, path: Path) -> None:
    """Write beside the target and rename, so that no research sees half a file."""
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
