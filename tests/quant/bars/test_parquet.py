"""Parquet files that say little and mean much."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from errors import InvalidData
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from tests.support.quant.data import walk

ROWS = 600


def load(tmp_path: Path, columns: dict[str, pa.Array]) -> int:
    table = pa.Table.from_pandas(walk(ROWS, "1D"), preserve_index=False)
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    pq.write_table(table, tmp_path / "X.parquet", compression="zstd")
    return len(load_bars(DataSource(symbol="X"), tmp_path))


def repeat(value: object, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), ROWS)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        # 600 times 16 MB.
        (pa.DictionaryArray.from_arrays(pa.repeat(0, ROWS), ["9" * 2**24]), "16,777,216 bytes"),
        (repeat("9" * 100, pa.string()), "the column close has a text of 100 bytes"),
        (repeat([1.0] * 1000, pa.list_(pa.float64())), "of the type list"),
        (repeat(b"9" * 100, pa.binary()), "of the type binary"),
        (repeat(b"9" * 100, pa.binary(100)), "of the type fixed_size_binary"),
        (repeat({"close": 1.0}, pa.struct({"close": pa.float64()})), "of the type struct"),
    ],
)
def test_a_column_that_takes_more_than_numbers_is_refused(
    tmp_path: Path, values: pa.Array, complaint: str
) -> None:
    with pytest.raises(InvalidData, match=complaint):
        load(tmp_path, {"close": values})


def test_a_file_that_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quant.bars.reading.formats.parquet._MAX_BYTES", 1000)
    with pytest.raises(InvalidData, match="bytes of memory; at most 1,000 are taken"):
        load(tmp_path, {})


def test_texts_and_decimals_are_read_as_ever(tmp_path: Path) -> None:
    bars = walk(ROWS, "1D")
    times = pd.to_datetime(bars["timestamp"]).dt.strftime("%Y-%m-%d")
    texts = pa.array(times).dictionary_encode()
    decimals = pa.array(bars["volume"]).cast(pa.decimal128(38, 10), safe=False)
    assert load(tmp_path, {"timestamp": texts, "volume": decimals}) == ROWS


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "X.parquet").write_bytes(b"PAR1" + b"\xff" * 100 + b"PAR1")
    with pytest.raises(InvalidData, match=r"X\.parquet is not a readable Parquet file"):
        load_bars(DataSource(symbol="X"), tmp_path)
