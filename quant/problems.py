"""Says what is wrong with a value, in words for people who write files by hand."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from quant.wording import format_count

MOST_PROBLEMS: Final = 20
"""How many problems a message names. A hostile input has tens of thousands."""

_LONGEST_PART: Final = 200


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
    "string_pattern_mismatch": lambda limits: f"does not match {limits['pattern']}",
}


def list_problems(error: ValidationError) -> list[tuple[str, str]]:
    """List the invalid fields, such as `features.0.period`, each with what is wrong with it."""
    return [
        (".".join(str(part) for part in each["loc"] if part != "[key]"), _explain(each))
        for each in error.errors(include_url=False, include_input=False)
    ]


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


def _explain(problem: ErrorDetails) -> str:
    words = _WORDS.get(problem["type"])
    if words is not None:
        return words(problem.get("ctx", {}))
    return problem["msg"].removeprefix("Value error, ")
