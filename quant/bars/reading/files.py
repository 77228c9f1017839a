"""Reads a user's CSV or Parquet file as a table, or says why it cannot.

`quant.bars.reading.columns` then reads the columns of the table, and `quant.bars.parser` checks
the bars.
Messages name the file without its directory, the column, and the data row, counted from 1.
"""

import pandas as pd

from quant.bars.mapping import FileMapping
from quant.bars.reading.columns import Say, ignore_what_is_said
from quant.bars.reading.formats.parquet import read_parquet
from quant.bars.reading.formats.text import MAX_ROWS, read_text


def read_table(
    content: bytes, name: str, mapping: FileMapping, say: Say = ignore_what_is_said
) -> pd.DataFrame:
    """Read a file; its values stay as they are, and columns that bars do not need may be missing.

    Args:
        content: The content of the file.
        name: Its name: that of a Parquet file by its ending, otherwise of a text.
        mapping: How to read it.
        say: Told what was found.

    Raises:
        InvalidData: The file is in no known encoding, truncated or not a table.
    """
    if name.lower().endswith(".parquet"):
        return read_parquet(content, name, mapping, MAX_ROWS)
    return read_text(content, name, mapping, say)
