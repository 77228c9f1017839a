"""Finds the columns of bars in a table, and reads them into arrays or says which row is wrong.

Messages name the table, the column, and the data row, counted from 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from errors import InvalidData
from quant.bars.mapping import MAPPING_FILE, FileMapping
from quant.bars.reading.numerals import parse_numbers
from quant.bars.reading.times import Times, convert_times, read_times

TIMESTAMP_NAMES: Final[tuple[str, ...]] = (
    "timestamp",
    "datetime",
    "date",
    "time",
    "index",
    "__index_level_0__",
    "",  # an index without a name, in the first column
)
PRICE_COLUMNS: Final = ("open", "high", "low", "close")
VOLUME_NAMES: Final = ("volume", "vol", "vol.", "tickvol")
_USUAL_NAMES: Final = frozenset({*TIMESTAMP_NAMES, *PRICE_COLUMNS, *VOLUME_NAMES})
_CLOCK: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?|[0-9]{1,6}"
_COLUMNS_SHOWN: Final = 20

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]
"""Takes a sentence about how a file was understood."""


class Columns(NamedTuple):
    """The columns of bars, each of shape (rows,).

    Attributes:
        timestamps: Nanoseconds since 1970 in UTC.
        open: First price of each bar; all values here and below are finite.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded volume, 0 if the table has none.
    """

    timestamps: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def ignore_what_is_said(_: str) -> None:
    """Drop a sentence, for a caller that shows none."""


def normalise(name: object) -> str:
    """Return a column name as names are compared: without case and decoration."""
    return str(name).strip().strip("<>\"'").strip().lower()


def parse_columns(
    table: pd.DataFrame,
    name: str,
    mapping: FileMapping,
    *,
    daily: bool = False,
    say: Say = ignore_what_is_said,
) -> Columns:
    """Read the columns of bars.

    Args:
        table: One row per bar.
        name: Name of the table in messages.
        mapping: Names of the columns, and the form of their cells.
        daily: Whether a bar lasts a day or longer. Then its time is the date on which it is traded.
        say: Told what was understood beyond the plain names of columns.

    Raises:
        InvalidData: A column is missing or occurs twice, or a value is not a time or a finite
            number.
    """
    found = _Finder(table, name, mapping, say).find()
    times, cells = _read_times(table, found, name, mapping)
    timestamps = convert_times(times, cells, name, mapping, daily=daily)

    def read(position: int, column: str) -> Floats:
        return parse_numbers(table.iloc[:, position], column, timestamps, name, mapping)

    prices = {column: read(found.numbers[column], column) for column in PRICE_COLUMNS}
    volume = np.zeros(len(table))
    if "volume" in found.numbers:
        volume = read(found.numbers["volume"], "volume")
    if found.raw_close is not None:
        factors = _divide_closes(prices["close"], read(found.raw_close, "close"), name)
        for column in ("open", "high", "low"):
            prices[column] *= factors
    return Columns(timestamps, **prices, volume=volume)


def read_written_times(table: pd.DataFrame, name: str, mapping: FileMapping) -> Times:
    """Read the times only.

    Raises:
        InvalidData: The column is missing, or a value is not a time.
    """
    found = _Finder(table, name, mapping, ignore_what_is_said).find()
    return _read_times(table, found, name, mapping)[0]


def may_be_needed(name: str, mapping: FileMapping) -> bool:
    """Return whether a column of this name may hold the times or numbers of bars."""
    return normalise(name) in list_names(mapping)


def list_names(mapping: FileMapping) -> frozenset[str]:
    """Return the normalised names of the columns that may hold the times or numbers of bars."""
    return _USUAL_NAMES | _list_mapped(mapping)


def _list_mapped(mapping: FileMapping) -> set[str]:
    """Return the names in the mapping, and the parts of names that join two columns."""
    names = {normalise(name) for name in mapping.columns.values() if name is not None}
    return names | {normalise(part) for name in names for part in name.split("+")}


@dataclass(frozen=True)
class _Found:
    """Positions of columns in a table.

    Attributes:
        times: One column, or two whose texts are joined.
        numbers: By name; without `volume` if the table has none.
        raw_close: The close before adjustments, if the mapping names an adjusted one beside it.
    """

    times: list[int]
    numbers: dict[str, int]
    raw_close: int | None


class _Finder:
    """Finds the columns of one table."""

    def __init__(self, table: pd.DataFrame, file: str, mapping: FileMapping, say: Say) -> None:
        self._table = table
        self._names = [normalise(column) for column in table.columns]
        self._file = file
        self._mapped = {
            column: None if name is None else normalise(name)
            for column, name in mapping.columns.items()
        }
        self._say = say

    def find(self) -> _Found:
        wanted = {
            "timestamp": self._name_times(),
            **{column: [self._mapped.get(column) or column] for column in PRICE_COLUMNS},
            **self._name_volume(),
        }
        self._require_once(wanted)
        if len(self._table) == 0:
            raise InvalidData(f"{self._file} has no data rows.", field="symbol")
        numbers = {
            column: self._names.index(name)
            for column, [name, *_] in wanted.items()
            if column != "timestamp"
        }
        times = [self._names.index(name) for name in wanted["timestamp"]]
        return _Found(times, numbers, self._find_raw_close())

    def _name_times(self) -> list[str]:
        mapped = self._mapped.get("timestamp")
        if mapped is not None:
            joined = [normalise(part) for part in mapped.split("+")]
            return [mapped] if mapped in self._names or len(joined) != 2 else joined
        usual = [
            name
            for name in TIMESTAMP_NAMES
            if name in self._names and (name or self._names[0] == "")
        ]
        if usual[:2] == ["date", "time"] and self._holds_clock("time"):
            self._say("The times are in the two columns date and time.")
            return usual[:2]
        return usual[:1] or ["timestamp"]

    def _holds_clock(self, name: str) -> bool:
        first = self._table.iloc[:1, self._names.index(name)].astype(str)
        return bool(first.str.fullmatch(_CLOCK).all())

    def _name_volume(self) -> dict[str, list[str]]:
        if "volume" not in self._mapped:
            usual = next((name for name in VOLUME_NAMES if name in self._names), "volume")
            if usual != "volume":
                self._say(f"The volume is in the column {usual}.")
            return {"volume": [usual]}
        mapped = self._mapped["volume"]
        return {} if mapped is None else {"volume": [mapped]}

    def _find_raw_close(self) -> int | None:
        """Return the column `close` if another one is used, whose name begins with `adj`."""
        used = self._mapped.get("close") or "close"
        others = [self._mapped.get(column) for column in ("open", "high", "low")]
        if not used.startswith("adj") or any(others) or self._names.count("close") != 1:
            return None
        self._say(f"Open, high and low are adjusted as the close is, by {used} over close.")
        return self._names.index("close")

    def _require_once(self, wanted: dict[str, list[str]]) -> None:
        missing = {
            name: column
            for column, names in wanted.items()
            for name in names
            if name not in self._names
        }
        if missing:
            raise InvalidData(
                f"{self._file} lacks the column{'s' if len(missing) > 1 else ''} "
                f"{', '.join(missing)}; found columns: {self._list_found()}."
                + _advise(list(missing.values()), self._names),
                field=next(iter(missing.values())),
            )
        for column, names in wanted.items():
            for name in names:
                if self._names.count(name) > 1:
                    raise InvalidData(
                        f"{self._file} has the column {name} more than once.", field=column
                    )

    def _list_found(self) -> str:
        names = [str(column).strip()[:40] for column in self._table.columns]
        shown = ", ".join(name or "(without a name)" for name in names[:_COLUMNS_SHOWN])
        return shown + (", ..." if len(names) > _COLUMNS_SHOWN else "")


def _advise(missing: list[str], found: list[str]) -> str:
    if missing == ["volume"]:
        return (
            " If the file has no volume, say so (--no-volume, or `columns: {volume: null}` in "
            f"{MAPPING_FILE})."
        )
    if any(any(character.isdigit() for character in name) for name in found):
        return (
            " If it has no header, name its columns (--columns timestamp,open,high,low,close,"
            f"volume, or `header` in {MAPPING_FILE})."
        )
    return f" Name those that are called otherwise with --column, or `columns` in {MAPPING_FILE}."


def _read_times(
    table: pd.DataFrame, found: _Found, name: str, mapping: FileMapping
) -> tuple[Times, "pd.Series[Any]"]:
    """Return the times and the cells that they were read from."""
    cells = table.iloc[:, found.times[0]]
    if len(found.times) > 1:
        cells = (
            cells.astype("string").str.strip() + " " + _write_clock(table.iloc[:, found.times[1]])
        )
        if mapping.time_format is None:
            # 20200102 is a date, also beside a time.
            cells = cells.str.replace(r"^([0-9]{4})([0-9]{2})([0-9]{2}) ", r"\1-\2-\3 ", regex=True)
    return read_times(cells, name, mapping), cells


def _write_clock(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Write 930 as 09:30 and 93000 as 09:30:00; other texts stay."""
    texts = cells.astype("string").str.strip()
    digits = texts.str.fullmatch(r"[0-9]{1,6}").fillna(False)
    if not digits.any():
        return texts
    width = 6 if texts.where(digits, "").str.len().max() > 4 else 4
    padded = texts.str.zfill(width)
    clock = padded.str.slice(0, 2) + ":" + padded.str.slice(2, 4)
    if width == 6:
        clock = clock + ":" + padded.str.slice(4, 6)
    return texts.where(~digits, clock)


def _divide_closes(adjusted: Floats, raw: Floats, file: str) -> Floats:
    """Return by what the close was multiplied when it was adjusted, shape (rows,)."""
    broken = ~((raw > 0.0) & (adjusted > 0.0))
    if broken.any():
        raise InvalidData(
            f"{file}, row {int(np.argmax(broken)) + 1}: the close or the adjusted close is not a "
            "positive price.",
            field="close",
        )
    return adjusted / raw
