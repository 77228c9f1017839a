"""Reads a Parquet file of bars, without asking for more memory than bars need.

A column that repeats one value takes a few bytes in the file, however long the value is.
"""

from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from errors import InvalidData
from quant.bars.mapping import FileMapping
from quant.bars.reading.columns import may_be_needed

# Six columns of as many rows as are read, eight bytes each, and twice as much for long texts.
_MAX_BYTES: Final = 720_000_000
_LONGEST_TEXT: Final = 64


def read_parquet(content: bytes, name: str, mapping: FileMapping, max_rows: int) -> pd.DataFrame:
    """Return the columns that bars may need.

    Args:
        content: The file.
        name: Name of the file, for messages.
        mapping: Names of the columns.
        max_rows: How many rows are read at most.

    Raises:
        InvalidData: It is not a Parquet file, or its columns are too large or no numbers, times or
            texts.
    """
    try:
        found = pq.ParquetFile(pa.BufferReader(content))
        names = found.schema_arrow.names
        columns = _check_columns(found, name, mapping, max_rows)
        if not columns:
            # So that the message can list them.
            return pd.DataFrame(columns=pd.Index(names))
        texts = [each for each, kind in columns.items() if _is_text(kind)]
        # As dictionaries, equal texts are in memory once until their length is known.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        table = file.read(columns=list(columns), use_threads=False)
        for each in texts:
            table = _expand(table, each, name)
        # The metadata of pandas would turn its index from a column into an index again.
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, use_threads=False)
    except (pa.ArrowException, OSError, LookupError, ValueError, OverflowError) as error:
        raise InvalidData(f"{name} is not a readable Parquet file.", field="symbol") from error
    return frame


def _check_columns(
    file: pq.ParquetFile, name: str, mapping: FileMapping, max_rows: int
) -> dict[str, pa.DataType]:
    """Return the types of the columns that bars may need, by name."""
    groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    if rows > max_rows:
        raise InvalidData(
            f"{name} has {rows:,} rows; at most {max_rows:,} are read.", field="symbol"
        )
    columns = {
        field.name: field.type for field in file.schema_arrow if may_be_needed(field.name, mapping)
    }
    for column, kind in columns.items():
        if not (_is_text(kind) or (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))):
            raise InvalidData(
                f"{name}: the column {column} is of the type {str(kind)[:50]}, which holds neither "
                "numbers nor times.",
                field="symbol",
            )
    size = sum(
        chunk.total_uncompressed_size
        for group in groups
        for chunk in (group.column(index) for index in range(group.num_columns))
        if chunk.path_in_schema in columns
    )
    if size > _MAX_BYTES:
        raise InvalidData(
            f"{name} needs {size:,} bytes of memory; at most {_MAX_BYTES:,} are taken.",
            field="symbol",
        )
    return columns


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _expand(table: pa.Table, column: str, name: str) -> pa.Table:
    """Return the table with the texts of a column in place of their dictionary."""
    index = table.schema.get_field_index(column)
    for chunk in table.column(index).chunks:
        longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
        if longest > _LONGEST_TEXT:
            raise InvalidData(
                f"{name}: the column {column} has a text of {longest:,} bytes; numbers and times "
                f"have at most {_LONGEST_TEXT}.",
                field="symbol",
            )
    texts = table.column(index).cast(table.schema.field(index).type.value_type)
    return table.set_column(index, column, texts)
