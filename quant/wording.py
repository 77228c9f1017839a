"""Numbers and names in messages."""

from collections.abc import Collection
from typing import Final
from unicodedata import category

# As wide as a plus, unlike the hyphen.
MINUS: Final = "\N{MINUS SIGN}"

_LONGEST_NAME: Final = 100


def format_count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 trade`, `1,200 trades`.

    Args:
        number: How many.
        one: The noun for one.
        many: The noun for any other number; None adds an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def join_names(names: Collection[str], limit: int = 10) -> str:
    """Join names for a message, sorted, and at most `limit` of them."""
    shown = ", ".join(sorted(names)[:limit])
    hidden = len(names) - limit
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def say_missing(what: str, name: str) -> str:
    """Say that there is no such thing. Its name comes from outside and may be long."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    return f"There is no {what} {shown!r}."


def strip_controls(text: str) -> str:
    """Return a text from outside without what controls a terminal or the reading direction.

    Line breaks, tabs and spaces of every width stay.
    """
    return "".join(
        each for each in text if each.isprintable() or each in "\n\t" or category(each) == "Zs"
    )
