"""Reads a user's CSV or Parquet file into clean columns, or reports precisely why it cannot.

Messages name the file without its directory, the column, and the data row counted from 1. The rules
for valid bars are checked in `quant.bars.bars`.
"""

import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from errors import InvalidData
from quant.bars.mapping import FileMapping

MAX_FILE_BYTES: Final = 256 * 2**20
MAX_ROWS: Final = 5_000_000

TIMESTAMP_NAMES: Final = ("timestamp", "datetime", "date", "time", "index", "__index_level_0__")
NUMBER_COLUMNS: Final = ("open", "high", "low", "close", "volume")

# The size of an epoch number shows its unit: up to the year 2286, seconds have at most 10 digits.
_EPOCH_UNITS: Final = ((1e10, 10**9), (1e13, 10**6), (1e16, 10**3), (np.inf, 1))
_EARLIEST_EPOCH: Final = 1e8
_NANOSECOND_RANGE: Final = (
    pd.Timestamp.min.tz_localize("UTC"),
    pd.Timestamp.max.tz_localize("UTC"),
)


def read(path: Path, mapping: FileMapping) -> pd.DataFrame:
    """Read a file unchanged; only columns that may matter are guaranteed to be included.

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
        return _read_parquet(content, path.name, mapping)
    return _read_csv(content, path.name, mapping)


def columns(
    table: pd.DataFrame, name: str, mapping: FileMapping, *, daily: bool = False
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
]:
    """Return timestamps (nanoseconds, UTC), open, high, low, close and volume.

    Column names are compared without regard to case.

    Args:
        table: One row per bar.
        name: What messages call the table.
        mapping: Names of the columns, and the zone and format of the times.
        daily: Whether a bar lasts a day or longer. Then a time in a zone of the mapping is a date:
            midnight in UTC of the same date, not the moment before at which it begins there.

    Raises:
        InvalidData: A column is missing or duplicated, or holds values other than finite numbers
            or times.
    """
    found = _find_columns([str(column) for column in table.columns], name, mapping)
    if len(table) == 0:
        raise InvalidData(f"{name} has no data rows.", field="symbol")
    timestamps = _timestamps(table.iloc[:, found["timestamp"]], name, mapping, daily=daily)
    first, *rest = (
        _numbers(table.iloc[:, found[column]], column, timestamps, name)
        for column in NUMBER_COLUMNS
    )
    high, low, close, volume = rest
    return timestamps, first, high, low, close, volume


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
            # pandas only warns when it drops surplus fields of a row.
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


def _read_parquet(content: bytes, name: str, mapping: FileMapping) -> pd.DataFrame:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        rows = file.metadata.num_rows
        if rows > MAX_ROWS:
            raise InvalidData(
                f"{name} has {rows:,} rows; at most {MAX_ROWS:,} are read.", field="symbol"
            )
        wanted = {*TIMESTAMP_NAMES, *NUMBER_COLUMNS, *_given_names(mapping).values()}
        names = [column for column in file.schema_arrow.names if column.lower() in wanted]
        # A pandas index is an ordinary column here, so its metadata is not needed.
        table: pd.DataFrame = file.read(columns=names, use_threads=False).to_pandas(
            ignore_metadata=True, use_threads=False
        )
    except (pa.ArrowException, OSError) as error:
        raise InvalidData(f"{name} is not a readable Parquet file.", field="symbol") from error
    return table


def _given_names(mapping: FileMapping) -> dict[str, str]:
    return {column: name.strip().lower() for column, name in mapping.columns.items()}


def _find_columns(names: list[str], file: str, mapping: FileMapping) -> dict[str, int]:
    """Map each needed column to its place in the table."""
    normalised = [name.strip().lower() for name in names]
    time_name = next((name for name in TIMESTAMP_NAMES if name in normalised), "timestamp")
    usual = {"timestamp": time_name} | {name: name for name in NUMBER_COLUMNS}
    wanted = usual | _given_names(mapping)
    missing = {column: name for column, name in wanted.items() if name not in normalised}
    if missing:
        raise InvalidData(
            f"{file} lacks the column{'s' if len(missing) > 1 else ''} "
            f"{', '.join(missing.values())}.",
            field=next(iter(missing)),
        )
    for column, name in wanted.items():
        if normalised.count(name) > 1:
            raise InvalidData(f"{file} has the column {name} more than once.", field=column)
    return {column: normalised.index(name) for column, name in wanted.items()}


def _timestamps(
    values: "pd.Series[Any]", file: str, mapping: FileMapping, *, daily: bool
) -> npt.NDArray[np.int64]:
    if pd.api.types.is_numeric_dtype(values.dtype) and mapping.time_format is None:
        return _epochs(values, file)
    times = _in_utc(values, mapping, daily=daily)
    earliest, latest = _NANOSECOND_RANGE
    broken = ~((times >= earliest) & (times <= latest)).to_numpy(dtype=bool)
    if broken.any():
        row = int(np.argmax(broken))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_shown(values.iloc[row])} is not "
            f"{_expected(mapping, daily=daily)}.",
            field="timestamp",
        )
    return np.asarray(times.dt.as_unit("ns").astype(np.int64), dtype=np.int64)


def _in_utc(values: "pd.Series[Any]", mapping: FileMapping, *, daily: bool) -> "pd.Series[Any]":
    """Return times in UTC; NaT where missing, ambiguous or nonexistent in the time zone."""
    how = mapping.time_format or "ISO8601"
    if pd.api.types.is_numeric_dtype(values.dtype):  # 20240131 is a day, not a number of seconds
        values = values.astype("string")
    if mapping.timezone == "UTC":
        return pd.to_datetime(values, utc=True, format=how, errors="coerce")
    local = pd.to_datetime(values, format=how, errors="coerce")
    if local.dt.tz is None and daily:
        local = local.dt.normalize().dt.tz_localize("UTC")
    elif local.dt.tz is None:
        local = local.dt.tz_localize(mapping.timezone, ambiguous="NaT", nonexistent="NaT")
    in_utc: pd.Series[Any] = local.dt.tz_convert("UTC")
    return in_utc


def _expected(mapping: FileMapping, *, daily: bool) -> str:
    if mapping.time_format is not None:
        described = f"a time in the form {mapping.time_format}"
    else:
        described = "an ISO 8601 time such as 2024-01-31 or 2024-01-31T15:30:00Z"
    if mapping.timezone != "UTC" and not daily:
        described += f" that occurs exactly once in {mapping.timezone}"
    return described


def _epochs(values: "pd.Series[Any]", file: str) -> npt.NDArray[np.int64]:
    """Read numbers as seconds, milliseconds, microseconds or nanoseconds since 1970."""
    numbers = _as_floats(values)
    broken = ~((numbers >= _EARLIEST_EPOCH) & (numbers < 2.0**63))
    if broken.any():
        row = int(np.argmax(broken))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_shown(values.iloc[row])} is neither an ISO 8601 "
            "time nor a number of seconds, milliseconds, microseconds or nanoseconds since 1970.",
            field="timestamp",
        )
    factor = next(factor for limit, factor in _EPOCH_UNITS if numbers[0] < limit)
    if numbers.max() * factor >= 2.0**63:
        row = int(np.argmax(numbers))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_shown(values.iloc[row])} has another unit than "
            "the first row.",
            field="timestamp",
        )
    if pd.api.types.is_integer_dtype(values.dtype):  # beyond 2^53 a float would lose digits
        return np.asarray(values.to_numpy(dtype=np.int64) * factor, dtype=np.int64)
    return np.rint(numbers * factor).astype(np.int64)


def _numbers(
    values: "pd.Series[Any]", column: str, timestamps: npt.NDArray[np.int64], file: str
) -> npt.NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype.kind == "b":
        values = values.astype(str).where(values.notna())  # booleans and times are not prices
    numbers = _as_floats(pd.to_numeric(values, errors="coerce"))
    broken = ~np.isfinite(numbers)
    if broken.any():
        row = int(np.argmax(broken))
        value = values.iloc[row]
        complaint = "is missing" if pd.isna(value) else f"is {_shown(value)}, not a finite number"
        time = np.datetime_as_string(np.datetime64(int(timestamps[row]), "ns"), unit="s")
        raise InvalidData(f"{file}, row {row + 1} ({time}Z): {column} {complaint}.", field=column)
    return numbers


def _as_floats(values: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    """Copy into a C-contiguous array with NaN where a value is missing."""
    return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def _shown(value: object) -> str:
    """Quote a cell, cut to what fits into a message."""
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
