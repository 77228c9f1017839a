"""Says what is wrong with a value, in words for people who write files by hand."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from quant.suggestions import list_fields, suggest
from quant.wording import format_count

MOST_PROBLEMS: Final = 20
"""How many problems a message names. A hostile input has tens of thousands."""

_LONGEST_PART: Final = 200
_LONGEST_VALUE: Final = 40
# What these say depends on the value, and people may not know which one counted.
_WITH_VALUE: Final = frozenset(
    {
        "greater_than_equal",
        "greater_than",
        "less_than_equal",
        "less_than",
        "literal_error",
        "enum",
    }
)

# A value in pydantic's list of those that it expects.
_QUOTED: Final = re.compile(r"'([^']*)'")


def _count_entries(number: int) -> str:
    return format_count(number, "entry", "entries")


# By pydantic's type of error. Other types keep pydantic's own words.
_WORDS: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not known",
    "too_short": lambda limits: f"needs at least {_count_entries(limits['min_length'])}",
    "too_long": lambda limits: f"may have at most {_count_entries(limits['max_length'])}",
    "string_too_long": lambda limits: f"may have at most {limits['max_length']:,} characters",
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']:g}",
    "greater_than": lambda limits: f"must be more than {limits['gt']:g}",
    "less_than_equal": lambda limits: f"must be at most {limits['le']:g}",
    "less_than": lambda limits: f"must be less than {limits['lt']:g}",
    "finite_number": lambda _: "must be a finite number",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "string_type": lambda _: "must be a text",
    "tuple_type": lambda _: "must be a list",
    "model_type": lambda _: "must be a mapping",
    "dict_type": lambda _: "must be a mapping",
    "literal_error": lambda limits: f"must be {limits['expected']}",
    "enum": lambda limits: f"must be {limits['expected']}",
    "bool_type": lambda _: "must be true or false",
    "bool_parsing": lambda _: "must be true or false",
}


def list_problems(
    error: ValidationError, model: type[BaseModel] | None = None
) -> list[tuple[str, str]]:
    """List the invalid fields, such as `features.0.period`, each with what is wrong with it.

    Args:
        error: What pydantic says.
        model: Whose fields are suggested in the place of an unknown one.
    """
    problems = [
        (".".join(str(part) for part in each["loc"] if part != "[key]"), each)
        for each in error.errors(include_url=False)
    ]
    return [
        (place, explain(each, model, guess=number < MOST_PROBLEMS))
        for number, (place, each) in enumerate(leave_out_consequences(problems))
    ]


def leave_out_consequences(
    problems: Sequence[tuple[str, ErrorDetails]],
) -> list[tuple[str, ErrorDetails]]:
    """Leave out the lists that seem too short because an invalid entry does not count.

    Args:
        problems: What pydantic says, each with its place.
    """
    # A field of an entry may be invalid, such as `features.0.period`.
    lists = {place[:end] for place, _ in problems for end, sign in enumerate(place) if sign == "."}
    return [
        (place, each)
        for place, each in problems
        if each["type"] != "too_short" or place not in lists
    ]


def explain(
    problem: ErrorDetails, model: type[BaseModel] | None = None, *, guess: bool = True
) -> str:
    """Say what is wrong with one value, and what may have been meant.

    Args:
        problem: What pydantic says.
        model: Whose fields are suggested in the place of an unknown one.
        guess: Whether to suggest anything, which takes time.
    """
    kind, context = problem["type"], problem.get("ctx", {})
    words = _WORDS.get(kind)
    said = words(context) if words else problem["msg"].removeprefix("Value error, ")
    if kind in _WITH_VALUE:
        said += _name_value(problem.get("input"))
    if guess and kind in ("literal_error", "enum"):
        return said + suggest(problem.get("input"), _QUOTED.findall(context["expected"]))
    if guess and kind == "extra_forbidden" and model is not None:
        *path, unknown = problem["loc"]
        return said + suggest(unknown, list_fields(model, path))
    return said


def _name_value(value: object) -> str:
    """Return the value that was given, if it is short."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    # Python does not write integers of thousands of digits. A digit has more than three bits.
    if isinstance(value, int) and value.bit_length() > 3 * _LONGEST_VALUE:
        return ""
    written = f"'{value}'" if isinstance(value, str) else str(value)
    return f", not {written}" if len(written) <= _LONGEST_VALUE and written.isprintable() else ""


def join_problems(problems: Sequence[tuple[str, str]]) -> str:
    """Return a message that names the first problems, and how many more there are.

    Args:
        problems: Places and what is wrong there. Both come from outside and may be long.
    """
    named = "; ".join(
        ": ".join(shorten(part) for part in problem if part) for problem in problems[:MOST_PROBLEMS]
    )
    more = len(problems) - MOST_PROBLEMS
    return f"{named}; and {more:,} more" if more > 0 else named


def shorten(text: str) -> str:
    """Return a text from outside, short enough for a message."""
    return text if len(text) <= _LONGEST_PART else f"{text[:_LONGEST_PART]}…"
