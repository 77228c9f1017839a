"""Reads text files of bars as tables: finds their encoding, delimiter and header.

Nothing is guessed about the cells themselves.
"""

import codecs
import csv
import io
import warnings
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pandas as pd

from errors import InvalidData
from quant.bars.mapping import FileMapping
from quant.bars.reading.columns import TIMESTAMP_NAMES, Say, list_names, may_be_needed, normalise

MAX_ROWS: Final = 5_000_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# A header is looked for in the first lines only.
_LINES_TO_SEARCH: Final = 40
_LONGEST_LINE: Final = 20_000
# So many columns of bars must be among the names of a header that has lines before it.
_NAMES_OF_A_HEADER: Final = 3
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What yfinance writes at the beginning of the lines that make up its header.
_LEVELS: Final = frozenset({"price", "attributes", "ticker", "symbol", *TIMESTAMP_NAMES})


@dataclass(frozen=True)
class Form:
    """How a text is laid out.

    Attributes:
        delimiter: Between the cells of a line.
        names: Names of the columns.
        first_row: Index of the first line of data.
    """

    delimiter: str
    names: list[str]
    first_row: int


def read_text(content: bytes, name: str, mapping: FileMapping, say: Say) -> pd.DataFrame:
    """Read a text as a table.

    Args:
        content: The content of the file.
        name: Name of the file in messages.
        mapping: Delimiter, decimal mark and header, as far as they are declared.
        say: Told what was found.

    Raises:
        InvalidData: The text is in no known encoding, or not a table.
    """
    content = _encode(content, name, say)
    form = _find_form(_read_first_lines(content), mapping, say)
    try:
        with warnings.catch_warnings():
            # pandas drops surplus fields of a row with a warning only.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.BytesIO(content),
                encoding="utf-8",
                sep=form.delimiter,
                decimal=mapping.decimal,
                header=None,
                names=list(range(len(form.names))),
                skiprows=form.first_row,
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
                nrows=MAX_ROWS + 1,
            )
    except pd.errors.EmptyDataError:
        table = pd.DataFrame(columns=list(range(len(form.names))))
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InvalidData(
            f"{name} is not a well-formed CSV file: {' '.join(str(error).split())}", field="symbol"
        ) from error
    if len(table) > MAX_ROWS:
        raise InvalidData(f"{name} has more than {MAX_ROWS:,} rows.", field="symbol")
    table.columns = pd.Index(form.names)
    return table


def _encode(content: bytes, name: str, say: Say) -> bytes:
    """Return the content in UTF-8, without a byte order mark."""
    if content.startswith(_UTF_16):
        say("The file is encoded in UTF-16.")
        try:
            content = content.decode("utf-16").encode("utf-8")
        except UnicodeError as error:
            raise InvalidData(f"{name} is not valid UTF-16.", field="symbol") from error
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidData(
            f"{name}, line {line}: not valid UTF-8. Save the file as UTF-8.", field="symbol"
        ) from error
    if b"\0" in content:
        raise InvalidData(f"{name} contains NUL bytes; it is not a CSV file.", field="symbol")
    return content


def _find_form(lines: list[str], mapping: FileMapping, say: Say) -> Form:
    header = mapping.header
    # A comma within numbers cannot also separate them.
    usual = tuple(each for each in _DELIMITERS if each != mapping.decimal)
    delimiters = (mapping.delimiter,) if mapping.delimiter else usual
    if header is not None:
        delimiter = max(delimiters, key=lambda each: _agrees(lines, each, len(header)))
        form = Form(delimiter, list(header), 0)
    else:
        form = _find_header(lines, delimiters, mapping, say)
    if mapping.delimiter is None and form.delimiter != ",":
        say(f"The delimiter is a {_DELIMITER_NAMES[form.delimiter]}.")
    return form


def _find_header(
    lines: list[str], delimiters: tuple[str, ...], mapping: FileMapping, say: Say
) -> Form:
    """Return the form with the line that names the most columns of bars."""
    known = list_names(mapping) - {""}
    named = {
        (delimiter, number): sum(normalise(cell) in known for cell in _split_line(line, delimiter))
        for delimiter in delimiters
        for number, line in enumerate(lines)
    }
    # The first of equal ones.
    delimiter, number = max(named, key=lambda place: named[place])
    if named[delimiter, number] < _NAMES_OF_A_HEADER:
        number = next((index for index, line in enumerate(lines) if line.strip()), 0)
        delimiter = max(delimiters, key=lambda each: len(_split_line(lines[number], each)))
    names = _split_line(lines[number], delimiter)
    before = sum(bool(line.strip()) for line in lines[:number])
    if before:
        say(f"{before} line{'s' if before > 1 else ''} before the header left out.")
    last = number
    while last + 1 < len(lines) and (
        joined := _join_levels(names, _split_line(lines[last + 1], delimiter), mapping)
    ):
        names, last = joined, last + 1
    if last > number:
        say(f"The header has {last - number + 1} lines.")
    return Form(delimiter, names, last + 1)


def _join_levels(names: list[str], further: list[str], mapping: FileMapping) -> list[str] | None:
    """Return the names of two lines of a header in one; None if the second is a row of data."""
    first = normalise(names[0])
    if first not in _LEVELS or len(further) != len(names):
        return None
    level = normalise(further[0])
    if level not in _LEVELS or any(_is_number(cell) for cell in further):
        return None
    return [
        below if may_be_needed(below, mapping) and normalise(below) else above
        for above, below in zip(names, further, strict=True)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _agrees(lines: list[str], delimiter: str, columns: int) -> int:
    """Return how many of the lines have this number of columns."""
    return sum(len(_split_line(line, delimiter)) == columns for line in lines)


def _split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, without the space around them."""
    if line and '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [""])]
    except csv.Error:
        return [line]


def _read_first_lines(content: bytes) -> list[str]:
    """Return the first lines; very long ones are cut."""
    source = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=None)
    lines = islice(source, _LINES_TO_SEARCH)
    return [line.rstrip("\n")[:_LONGEST_LINE] for line in lines] or [""]
