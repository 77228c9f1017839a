"""Reads a user's CSV or Parquet file as a table, or says why it cannot.

`quant.bars.columns` then reads the columns of the table, and `quant.bars.loader` checks the bars.
Messages name the file without its directory, the column, and the data row, counted from 1.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from errors import InvalidData
from quant.bars.columns import Say, ignore_what_is_said
from quant.bars.formats.parquet import read_parquet
from quant.bars.formats.text import MAX_ROWS, read_text
from quant.bars.mapping import FileMapping

MAX_FILE_BYTES: Final = 256 * 2**20


def read_table(path: Path, mapping: FileMapping, say: Say = ignore_what_is_said) -> pd.DataFrame:
    """Read a file; its values stay as they are, and columns that bars do not need may be missing.

    Args:
        path: A Parquet file by its suffix, otherwise a text.
        mapping: How to read it.
        say: Told what was found.

    Raises:
        InvalidData: The file is too large, empty, in no known encoding, truncated or not a table.
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
    return read_text(content, path.name, mapping, say)
