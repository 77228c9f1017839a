"""Tables that fit: no ID is ever cut, and a pipe gets one line for each row, however long."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from workflows.interface.contract import Attempt

UNLIMITED: Final = 100_000
"""Width of a pipe or a file: no line is ever broken."""

_SECONDS_PER_MINUTE: Final = 60

_INDENT: Final = "  "
# Keeps a heading and its value in one line; a plain space takes its place again.
_GLUE: Final = "\N{NO-BREAK SPACE}"


def print_rows(
    console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: int = 0
) -> None:
    """Print rows under headings. In a terminal too narrow for them, print one below the other.

    Args:
        console: Where they are printed.
        headings: One for each column.
        rows: Plain text, never read as markup.
        title: The column that names a row where rows stand one below the other.
    """
    cells = [list(row) for row in rows]
    table = Table(*headings, box=None, pad_edge=False)
    for row in cells:
        table.add_row(*map(Text, row))
    wide = console.options.update(width=UNLIMITED)
    if Measurement.get(console, wide, table).maximum <= console.width:
        console.print(table)
        return
    for row in cells:
        console.print(row[title], style="bold", markup=False, soft_wrap=True)
        named = (
            f"{heading}: {cell}" if heading else cell
            for place, (heading, cell) in enumerate(zip(headings, row, strict=True))
            if cell and place != title
        )
        for line in _wrap(named, console.width):
            console.print(line, markup=False, soft_wrap=True)


def print_values(console: Console, values: BaseModel | dict[str, Any]) -> None:
    """Print nested values as YAML. A value that is not known is left out."""
    named: dict[str, Any] = to_jsonable_python(values)
    known = {name: value for name, value in named.items() if value is not None}
    text = yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=UNLIMITED)
    console.print(text.rstrip(), markup=False, soft_wrap=True)


def format_figure(value: float | None, how: str, unit: str = "") -> str:
    """Return a figure in this format, or an empty text if there is none."""
    return "" if value is None else f"{unit}{value:{how}}"


def format_duration(seconds: float | None) -> str:
    """Return a duration, or an empty text if it is not known."""
    if seconds is None:
        return ""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, _SECONDS_PER_MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_state(attempt: Attempt | None, *, cancelling: bool = False) -> str:
    """Return what an operation does at the moment; nothing between two steps."""
    if cancelling:
        return "cancelling"
    if attempt is None:
        return ""
    if attempt.next_attempt_at is not None:
        return f"{attempt.state} at {attempt.next_attempt_at:%H:%M:%S} UTC"
    return attempt.state


def format_time(moment: datetime) -> str:
    """Return a time as the API writes it, in ISO 8601."""
    return str(to_jsonable_python(moment))


def format_interval(low: float | None, high: float | None) -> str:
    """Return an interval of Sharpe ratios, or an empty text if there is none."""
    return "" if low is None or high is None else f"{low:z.2f} to {high:z.2f}"


def _wrap(parts: Iterable[str], width: int) -> list[str]:
    """Join parts to lines of this width. A line is broken between two parts if it can be."""
    glued = (part if len(part) > width // 2 else part.replace(" ", _GLUE) for part in parts)
    lines = textwrap.wrap(
        f"{_GLUE}{_GLUE} ".join(glued),
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ").rstrip() for line in lines]
