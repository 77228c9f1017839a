"""Tables that fit: no id is ever cut, and a pipe gets one line per row, however long."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Final

import yaml
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNLIMITED: Final = 100_000
"""Width of what is no terminal."""

_INDENT: Final = "  "
# Keeps a heading and its value in one line; a plain space takes its place again.
_GLUE: Final = "\N{NO-BREAK SPACE}"


def print_rows(
    console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: int = 0
) -> None:
    """Print rows under headings; if a terminal is too narrow for them, one below the other.

    Args:
        console: Where to.
        headings: One per column.
        rows: Plain text, never read as markup.
        title: Column that names a row when it stands alone.
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
        for line in _wrapped(named, console.width):
            console.print(line, markup=False, soft_wrap=True)


def print_values(console: Console, values: dict[str, Any]) -> None:
    """Print nested values as YAML; what is not known is left out."""
    known = {name: value for name, value in values.items() if value is not None}
    text = yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=UNLIMITED)
    console.print(text.rstrip(), markup=False, soft_wrap=True)


def shown(value: float | None, how: str, unit: str = "") -> str:
    """Return a figure in this format; empty if there is none."""
    return "" if value is None else f"{unit}{value:{how}}"


def interval(figures: dict[str, Any]) -> str:
    """Return the 95 % interval of a Sharpe ratio; empty if there is none."""
    low, high = figures["sharpe_low"], figures["sharpe_high"]
    return "" if low is None or high is None else f"{low:z.2f} to {high:z.2f}"


def _wrapped(parts: Iterable[str], width: int) -> list[str]:
    """Return lines of what belongs together, broken between the parts wherever that is enough."""
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
