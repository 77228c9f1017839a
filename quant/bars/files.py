"""Reads a user's CSV or Parquet file as a table, or says why it cannot.

`quant.bars.columns` then reads the columns of the table, and `quant.bars.loader` checks the bars.
Messages name the file without its directory, the column, and the data row, counted from 1.
"""

import io
import warnings
from pathlib import Path
from typing import Final

import pandas as pd

from errors import InvalidData
from quant.bars.mapping import FileMapping
from quant.bars.parquet import read_parquet

MAX_FILE_BYTES: Final = 256 * 2**20
MAX_ROWS: Final = 5_000_000


def read_table(path: Path, mapping: FileMapping) -> pd.DataFrame:
    """Read a file; its values stay as they are, and columns that bars do not need may be missing.

    Raises:
        InvalidData: The file is too large, empty, not UTF-8, truncated or not a table.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InvalidData(
                f"{path.name} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read.",
                field="symbol",
            )
        content = path.read_bytes()
    except OSError as error:
        raise InvalidData(
            f"{path.name} cannot be read: {error.strerror}.", field="symbol"
        ) from error
    if not content.strip():
        raise InvalidData(f"{path.name} is empty.", field="symbol")
    if path.suffix.lower() == ".parquet":
        return read_parquet(content, path.name, mapping, MAX_ROWS)
    return _read_csv(content, path.name, mapping)


def _read_csv(content: bytes, name: str, mapping: FileMapping) -> pd.DataFrame:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidData(f"{name}, line {line}: not valid UTF-8.", field="symbol") from error
    if b"\0" in content:
        raise InvalidData(f"{name} contains NUL bytes; it is not a CSV file.", field="symbol")
    try:
        with warnings.catch_warnings():
            # pandas drops surplus fields of a row with a warning only.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(content),
                encoding="utf-8-sig",
                sep=mapping.delimiter,
                decimal=mapping.decimal,
                index_col=False,
                low_memory=False,
                nrows=MAX_ROWS + 1,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise InvalidData(
            f"{name} is not a well-formed CSV file: {' '.join(str(error).split())}", field="symbol"
        ) from error
