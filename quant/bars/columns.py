"""Reads the columns of a table of bars into arrays, or says which row is wrong.

Messages name the table, the column, and the data row, counted from 1.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from errors import InvalidData
from quant.bars.mapping import FileMapping

TIMESTAMP_NAMES: Final = ("timestamp", "datetime", "date", "time", "index", "__index_level_0__")
NUMBER_COLUMNS: Final = ("open", "high", "low", "close", "volume")

# The size of an epoch number shows its unit: up to the year 2286, seconds have at most 10 digits.
_EPOCH_UNITS: Final = ((1e10, 10**9), (1e13, 10**6), (1e16, 10**3), (np.inf, 1))
_EARLIEST_EPOCH: Final = 1e8
_NANOSECOND_RANGE: Final = (
    pd.Timestamp.min.tz_localize("UTC"),
    pd.Timestamp.max.tz_localize("UTC"),
)


def parse_columns(
    table: pd.DataFrame, name: str, mapping: FileMapping, *, daily: bool = False
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
]:
    """Return timestamps, open, high, low, close and volume, each of shape (rows,).

    Timestamps are nanoseconds since 1970 in UTC. All other values are finite. Column names match
    in upper and lower case.

    Args:
        table: One row per bar.
        name: Name of the table in messages.
        mapping: Names of the columns, and the zone and format of the times.
        daily: Whether a bar lasts a day or longer. Then a time in a zone of the mapping is a date,
            and becomes midnight in UTC of that date.

    Raises:
        InvalidData: A column is missing or occurs twice, or a value is not a time or a finite
            number.
    """
    found = _find_columns([str(column) for column in table.columns], name, mapping)
    if len(table) == 0:
        raise InvalidData(f"{name} has no data rows.", field="symbol")
    timestamps = _parse_times(table.iloc[:, found["timestamp"]], name, mapping, daily=daily)
    first, *rest = (
        _parse_numbers(table.iloc[:, found[column]], column, timestamps, name)
        for column in NUMBER_COLUMNS
    )
    high, low, close, volume = rest
    return timestamps, first, high, low, close, volume


def may_be_needed(name: str, mapping: FileMapping) -> bool:
    """Return whether a column of this name may hold the times or numbers of bars."""
    return name.lower() in {*TIMESTAMP_NAMES, *NUMBER_COLUMNS, *_map_names(mapping).values()}


def _map_names(mapping: FileMapping) -> dict[str, str]:
    return {column: name.strip().lower() for column, name in mapping.columns.items()}


def _find_columns(names: list[str], file: str, mapping: FileMapping) -> dict[str, int]:
    """Return the position of each needed column in the table."""
    normalised = [name.strip().lower() for name in names]
    time_name = next((name for name in TIMESTAMP_NAMES if name in normalised), "timestamp")
    usual = {"timestamp": time_name} | {name: name for name in NUMBER_COLUMNS}
    wanted = usual | _map_names(mapping)
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


def _parse_times(
    values: "pd.Series[Any]", file: str, mapping: FileMapping, *, daily: bool
) -> npt.NDArray[np.int64]:
    if pd.api.types.is_numeric_dtype(values.dtype) and mapping.time_format is None:
        return _parse_epochs(values, file)
    times = _convert_to_utc(values, mapping, daily=daily)
    earliest, latest = _NANOSECOND_RANGE
    broken = ~((times >= earliest) & (times <= latest)).to_numpy(dtype=bool)
    if broken.any():
        row = int(np.argmax(broken))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_quote(values.iloc[row])} is not "
            f"{_describe_format(mapping, daily=daily)}.",
            field="timestamp",
        )
    return np.asarray(times.dt.as_unit("ns").astype(np.int64), dtype=np.int64)


def _convert_to_utc(
    values: "pd.Series[Any]", mapping: FileMapping, *, daily: bool
) -> "pd.Series[Any]":
    """Return the times in UTC, NaT where one is missing, ambiguous or nonexistent in its zone."""
    how = mapping.time_format or "ISO8601"
    if pd.api.types.is_numeric_dtype(values.dtype):
        # 20240131 is a date here, not a number of seconds.
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


def _describe_format(mapping: FileMapping, *, daily: bool) -> str:
    if mapping.time_format is not None:
        described = f"a time in the form {mapping.time_format}"
    else:
        described = "an ISO 8601 time such as 2024-01-31 or 2024-01-31T15:30:00Z"
    if mapping.timezone != "UTC" and not daily:
        described += f" that occurs exactly once in {mapping.timezone}"
    return described


def _parse_epochs(values: "pd.Series[Any]", file: str) -> npt.NDArray[np.int64]:
    """Return nanoseconds since 1970, shape (rows,), from seconds or a smaller unit."""
    numbers = _to_floats(values)
    broken = ~((numbers >= _EARLIEST_EPOCH) & (numbers < 2.0**63))
    if broken.any():
        row = int(np.argmax(broken))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_quote(values.iloc[row])} is neither an ISO 8601 "
            "time nor a number of seconds, milliseconds, microseconds or nanoseconds since 1970.",
            field="timestamp",
        )
    factor = next(factor for limit, factor in _EPOCH_UNITS if numbers[0] < limit)
    if numbers.max() * factor >= 2.0**63:
        row = int(np.argmax(numbers))
        raise InvalidData(
            f"{file}, row {row + 1}: timestamp {_quote(values.iloc[row])} has another unit than "
            "the first row.",
            field="timestamp",
        )
    if pd.api.types.is_integer_dtype(values.dtype):  # a float loses digits beyond 2^53
        return np.asarray(values.to_numpy(dtype=np.int64) * factor, dtype=np.int64)
    return np.rint(numbers * factor).astype(np.int64)


def _parse_numbers(
    values: "pd.Series[Any]", column: str, timestamps: npt.NDArray[np.int64], file: str
) -> npt.NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype.kind == "b":
        values = values.astype(str).where(values.notna())  # a boolean or a time is not a price
    numbers = _to_floats(pd.to_numeric(values, errors="coerce"))
    broken = ~np.isfinite(numbers)
    if broken.any():
        row = int(np.argmax(broken))
        value = values.iloc[row]
        complaint = "is missing" if pd.isna(value) else f"is {_quote(value)}, not a finite number"
        time = np.datetime_as_string(np.datetime64(int(timestamps[row]), "ns"), unit="s")
        raise InvalidData(f"{file}, row {row + 1} ({time}Z): {column} {complaint}.", field=column)
    return numbers


def _to_floats(values: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    """Copy into a C-contiguous array of shape (rows,), NaN where a value is missing."""
    return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def _quote(value: object) -> str:
    """Quote a cell, shortened to fit into a message."""
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
