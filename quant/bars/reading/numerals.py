"""Reads numbers as people write them, or says which row is not one."""

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from errors import InvalidData
from quant.bars.mapping import MAPPING_FILE, FileMapping

# Prices and volumes beyond these are errors of the file, and some figures would overflow.
SMALLEST_PRICE: Final = 1e-15
LARGEST_NUMBER: Final = 1e18

_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:([.,' ])[0-9]{3})+(?:[.,][0-9]+)?")
_WITH_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")


def parse_numbers(
    values: "pd.Series[Any]",
    column: str,
    timestamps: npt.NDArray[np.int64],
    file: str,
    mapping: FileMapping,
) -> npt.NDArray[np.float64]:
    """Return finite numbers, shape (rows,).

    Args:
        values: Cells of one column.
        column: What the column holds, such as `close`.
        timestamps: Nanoseconds since 1970, shape (rows,), for messages.
        file: Name of the table in messages.
        mapping: Decimal mark and separator of thousands of cells that are text.

    Raises:
        InvalidData: A cell is not a finite number; the message names the row.
    """
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype.kind == "b":
        texts = values.astype(str).str.strip()  # a boolean or a time is not a price
        found = pd.to_numeric(_write_plainly(texts, mapping), errors="coerce")
    else:
        found = values
    numbers = to_floats(found)
    broken = ~(np.abs(numbers) <= LARGEST_NUMBER)
    if broken.any():
        row = int(np.argmax(broken))
        raise InvalidData(
            f"{file}, row {row + 1} ({_format_time(timestamps[row])}): {column} "
            f"{_complain(values.iloc[row], mapping)}.",
            field=column,
        )
    return numbers


def to_floats(values: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    """Copy into a C-contiguous array of shape (rows,), NaN where a value is missing."""
    return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def quote(value: object) -> str:
    """Quote a cell, shortened to fit into a message."""
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _write_plainly(texts: "pd.Series[Any]", mapping: FileMapping) -> "pd.Series[Any]":
    """Write numbers without a separator of thousands and with a decimal point.

    A text that does not follow the rules of the mapping becomes missing: 9.479 is not 9 and a half
    where the decimal mark is a comma.
    """
    digits = "[0-9]+"
    if mapping.thousands is not None:
        digits = f"(?:[0-9]+|[0-9]{{1,3}}(?:{re.escape(mapping.thousands)}[0-9]{{3}})+)"
    mark = re.escape(mapping.decimal)
    # An exponent is how programs write very small and very large numbers.
    written = rf"[+-]?(?:{digits}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    plain = texts.where(texts.str.fullmatch(written))
    if mapping.thousands is not None:
        plain = plain.str.replace(mapping.thousands, "", regex=False)
    return plain.str.replace(mapping.decimal, ".", regex=False)


def _complain(value: object, mapping: FileMapping) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "is missing"
    text = str(value).strip()
    complaint = f"is {quote(value)}, not a finite number"
    grouped = _GROUPED.fullmatch(text)
    if isinstance(value, str) and _WITH_COMMA.fullmatch(text) and not grouped:
        return (
            f"{complaint}; if the comma is the decimal mark, say so (--decimal ',', or `decimal` "
            f"in {MAPPING_FILE})"
        )
    if grouped and grouped[1] != mapping.decimal and mapping.thousands is None:
        return (
            f"{complaint}; if {grouped[1]!r} separates thousands, say so "
            f"(--thousands {grouped[1]!r}, or `thousands` in {MAPPING_FILE})"
        )
    if isinstance(value, (int, float)) and np.isfinite(value):
        return f"is {value:g}, beyond {LARGEST_NUMBER:g}"
    return complaint


def _format_time(nanoseconds: np.int64) -> str:
    return f"{np.datetime_as_string(np.datetime64(int(nanoseconds), 'ns'), unit='s')}Z"
