"""Reads the times of bars as people write them, or says which row is not a time.

A time without an offset is in the time zone of the mapping, UTC if it has none. Bars of a day and
longer are named by the local date on which they are traded: their times become midnight in UTC of
that date. Times that are written in UTC stay as they are, unless the mapping names a zone.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from errors import InvalidData
from quant.bars.mapping import FileMapping
from quant.bars.reading.numerals import quote, to_floats

# The size of an epoch number shows its unit: up to the year 2286, seconds have at most 10 digits.
_EPOCH_UNITS: Final = ((1e10, 10**9), (1e13, 10**6), (1e16, 10**3), (np.inf, 1))
_EARLIEST_EPOCH: Final = 1e8
# Dates and times without separators, by their number of digits. As numbers since 1970 these would
# mean moments from 1970 to 2001; no column of such moments consists of valid dates only.
_DIGITS: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
_CENTURIES: Final = (pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01"))
# .NET counts 100 ns since the year 1. From 1970 to 2100 these numbers, as nanoseconds since 1970,
# would all lie in 15 months of 1989 and 1990.
_TICKS_IN_1970: Final = 621_355_968_000_000_000
_TICKS_IN_2100: Final = 662_380_416_000_000_000
_NANOSECONDS_PER_TICK: Final = 100
# What nanoseconds since 1970 can hold, less two days for conversions between time zones.
_EARLIEST: Final = pd.Timestamp("1678-01-01")
_LATEST: Final = pd.Timestamp("2262-01-01")

_OFFSET: Final = r"(?<=[0-9])\s*(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_WITH_OFFSET: Final = rf"[T ][0-9]{{2}}.*{_OFFSET}"
_DIGITS_ONLY: Final = re.compile(r"[0-9]{1,19}")
_YEAR_FIRST: Final = r"^([0-9]{4})[./]([0-9]{1,2})[./]([0-9]{1,2})"


@dataclass(frozen=True, eq=False)
class Times:
    """The times of a column, one per row.

    Attributes:
        written: As on a clock where they were written, without a zone; shape (rows,).
        in_utc: The same moments in UTC; None if the times have no offset.
        of_utc: Whether that clock showed UTC.
    """

    written: "pd.Series[Any]"
    in_utc: "pd.Series[Any] | None" = None
    of_utc: bool = False


def read_times(values: "pd.Series[Any]", file: str, mapping: FileMapping) -> Times:
    """Read a column of times.

    Raises:
        InvalidData: A cell is not a time; the message names the row.
    """
    numeric = pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind != "b"
    if mapping.time_format is None and (numeric or _has_digits_only(values)):
        times = _read_numbers(values if numeric else pd.to_numeric(values), file)
    elif pd.api.types.is_datetime64_any_dtype(values.dtype):
        times = _split_zone(values)
    else:
        times = _read_texts(values.astype("string").str.strip(), file, mapping)
    broken = ~((times.written >= _EARLIEST) & (times.written <= _LATEST)).to_numpy(dtype=bool)
    if broken.any():
        row = int(np.argmax(broken))
        if pd.isna(times.written.iloc[row]):
            _refuse(values, row, file, f"is not {_describe_format(mapping)}")
        _refuse(values, row, file, f"is not in the years {_EARLIEST.year} to {_LATEST.year - 1}")
    return times


def convert_times(
    times: Times, values: "pd.Series[Any]", file: str, mapping: FileMapping, *, daily: bool
) -> npt.NDArray[np.int64]:
    """Return nanoseconds since 1970 in UTC, shape (rows,).

    Args:
        times: The times of the column.
        values: The column itself, for messages.
        file: Name of the table in messages.
        mapping: Gives the time zone.
        daily: Whether a bar lasts a day or longer.

    Raises:
        InvalidData: A time does not occur, or occurs twice, in the zone of the mapping.
    """
    zone = mapping.timezone
    if daily:
        local = times.written
        if zone is not None and times.in_utc is not None:
            local = times.in_utc.dt.tz_convert(zone).dt.tz_localize(None)
        named = zone is not None or not (times.in_utc is None or times.of_utc)
        moments = local.dt.normalize() if named else local
    elif times.in_utc is not None:
        moments = times.in_utc.dt.tz_localize(None)
    elif zone is None:
        moments = times.written
    else:
        localised = times.written.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        if localised.isna().any():
            row = int(np.argmax(localised.isna().to_numpy()))
            _refuse(values, row, file, f"is not a time that occurs exactly once in {zone}")
        moments = localised.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(moments.dt.as_unit("ns").astype(np.int64), dtype=np.int64)


def _has_digits_only(values: "pd.Series[Any]") -> bool:
    if not (pd.api.types.is_string_dtype(values.dtype) or values.dtype.kind == "O"):
        return False
    # The first cell tells most columns, without a look at all others.
    if len(values) and not _DIGITS_ONLY.fullmatch(str(values.iloc[0])):
        return False
    texts = values.astype("string").str.fullmatch(_DIGITS_ONLY.pattern)
    return bool(texts.fillna(False).all())


def _split_zone(values: "pd.Series[Any]") -> Times:
    zone = values.dt.tz
    if zone is None:
        return Times(values)
    in_utc = values.dt.tz_convert("UTC")
    return Times(values.dt.tz_localize(None), in_utc, of_utc=str(zone) in ("UTC", "+00:00"))


def _read_texts(texts: "pd.Series[Any]", file: str, mapping: FileMapping) -> Times:
    if mapping.time_format is not None:
        return _read_formatted(texts, mapping.time_format)
    # Simple patterns are found in all cells at once, and tell where the slow ones are needed.
    with_offset = _find(texts, "[./T ]")
    if with_offset.any():
        if _find(texts, "[./]").any():
            texts = texts.str.replace(_YEAR_FIRST, r"\1-\2-\3", regex=True)
        with_offset = _find(texts, "[T ]")
    if with_offset.any():
        with_offset = _find(texts, _WITH_OFFSET)
    if with_offset.any() and not with_offset.all():
        row = int(np.argmax(with_offset != with_offset[0]))
        has, others = ("an", "none") if with_offset[row] else ("no", "one")
        _refuse(texts, row, file, f"has {has} offset from UTC, and the first row has {others}")
    written = texts.str.replace(_OFFSET, "", regex=True) if with_offset.any() else texts
    # Times of bars do not repeat, so none is looked up among those before.
    times = Times(pd.to_datetime(written, format="ISO8601", errors="coerce", cache=False))
    if not with_offset.any():
        return times
    in_utc = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce", cache=False)
    if in_utc.isna().any():
        _refuse(texts, int(np.argmax(in_utc.isna().to_numpy())), file, "has an impossible offset")
    return _with_offsets(times.written, in_utc)


def _find(texts: "pd.Series[Any]", pattern: str) -> npt.NDArray[np.bool_]:
    """Return where a text has a match, shape (rows,)."""
    return texts.str.contains(pattern, regex=True).fillna(False).to_numpy(dtype=bool)


def _read_formatted(texts: "pd.Series[Any]", form: str) -> Times:
    try:
        if "%z" not in form:
            return Times(pd.to_datetime(texts, format=form, errors="coerce"))
        in_utc = pd.to_datetime(texts, utc=True, format=form, errors="coerce")
    except (ValueError, re.error) as error:
        raise InvalidData(
            f"{form!r} is not a format of strptime: {error}.", field="time_format"
        ) from None
    written = texts.map(lambda text: _read_clock(text, form)).astype("datetime64[us]")
    return _with_offsets(written, in_utc)


def _read_clock(text: object, form: str) -> datetime | None:
    """Return the time on the clock where it was written; None if it is not a time."""
    try:
        return datetime.strptime(str(text), form).replace(tzinfo=None)
    except ValueError:
        return None


def _with_offsets(written: "pd.Series[Any]", in_utc: "pd.Series[Any]") -> Times:
    same = written == in_utc.dt.tz_localize(None)
    return Times(written, in_utc, of_utc=bool(same.all()))


def _read_numbers(values: "pd.Series[Any]", file: str) -> Times:
    """Read dates without separators, .NET ticks, or seconds or a smaller unit since 1970."""
    numbers = to_floats(values)
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        whole = values.to_numpy(dtype=np.int64)
        if (dates := _read_digits(whole)) is not None:
            return Times(dates)
        if len(whole) and ((whole >= _TICKS_IN_1970) & (whole < _TICKS_IN_2100)).all():
            return _since_1970((whole - _TICKS_IN_1970) * _NANOSECONDS_PER_TICK)
    broken = ~((numbers >= _EARLIEST_EPOCH) & (numbers < 2.0**63))
    if broken.any():
        row = int(np.argmax(broken))
        _refuse(
            values,
            row,
            file,
            "is neither an ISO 8601 time nor a number of seconds, milliseconds, microseconds or "
            "nanoseconds since 1970",
        )
    limits = np.array([limit for limit, _ in _EPOCH_UNITS])
    units = np.searchsorted(limits, numbers, side="right")
    if (units != units[0]).any():
        _refuse(
            values, int(np.argmax(units != units[0])), file, "has another unit than the first row"
        )
    factor = _EPOCH_UNITS[units[0]][1]
    if pd.api.types.is_integer_dtype(values.dtype):  # a float loses digits beyond 2^53
        return _since_1970(values.to_numpy(dtype=np.int64) * factor)
    return _since_1970(np.rint(numbers * factor).astype(np.int64))


def _read_digits(whole: npt.NDArray[np.int64]) -> "pd.Series[Any] | None":
    """Return dates such as 20200102 or 202001020930; None if not all numbers are dates."""
    length = len(str(whole[0])) if len(whole) else 0
    if length not in _DIGITS or len(str(whole.min())) != length or len(str(whole.max())) != length:
        return None
    dates = pd.to_datetime(pd.Series(whole).astype(str), format=_DIGITS[length], errors="coerce")
    first, last = _CENTURIES
    return dates if bool(((dates >= first) & (dates < last)).all()) else None


def _since_1970(nanoseconds: npt.NDArray[np.int64]) -> Times:
    written = pd.Series(nanoseconds.view("datetime64[ns]"))
    return Times(written, written.dt.tz_localize("UTC"), of_utc=True)


def _refuse(values: "pd.Series[Any]", row: int, file: str, complaint: str) -> NoReturn:
    raise InvalidData(
        f"{file}, row {row + 1}: timestamp {quote(values.iloc[row])} {complaint}.",
        field="timestamp",
    )


def _describe_format(mapping: FileMapping) -> str:
    if mapping.time_format is not None:
        return f"a time in the form {mapping.time_format}"
    return (
        "an ISO 8601 time such as 2024-01-31 or 2024-01-31T15:30:00Z; another form can be named "
        "with --time-format"
    )
