"""Reading a file as `ktrdr data import` does."""

from pathlib import Path
from typing import Any

import pandas as pd

from quant.bars.bars import Bars
from quant.bars.importer import read_for_import
from quant.bars.mapping import FileMapping
from tests.support.quant.data import walk

ROWS = 600
Table = pd.DataFrame


def days() -> Table:
    return walk(ROWS, "1D")


def hours() -> Table:
    return walk(ROWS, "1h")


def read(
    directory: Path, content: Table | str | bytes, name: str = "X.csv", **options: Any
) -> Bars:
    """Read a file as `ktrdr data import` does."""
    return read_and_tell(directory, content, name, **options)[0]


def read_and_tell(
    directory: Path, content: Table | str | bytes, name: str = "X.csv", **options: Any
) -> tuple[Bars, list[str]]:
    """Read a file, and return how it was understood, too."""
    path = directory / name
    text = content.to_csv(index=False) if isinstance(content, Table) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    symbol, timeframe = options.pop("symbol", None), options.pop("timeframe", None)
    told: list[str] = []
    bars = read_for_import(path, symbol, timeframe, FileMapping(**options), told.append)
    return bars, told
