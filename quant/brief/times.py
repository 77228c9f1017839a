"""Timeframes and days that a brief names."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_DAY: Final = r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?(?![\w.]?\d)"
_TO: Final = r" ?(?:-|\u2013|\u2014|\.\.|to|until|till|through) ?"
_PERIODS: Final = re.compile(
    rf"(?:\b(?:from|in|over|between) )?(?<![\w.-])(?P<first>{_DAY}){_TO}(?P<last>{_DAY})"
    rf"|\bbetween (?P<least>{_DAY}) and (?P<most>{_DAY})"
    rf"|\b(?:since|from|starting(?: in| on)?) (?P<since>{_DAY})(?: on(?:wards?)?\b)?"
    rf"|\bafter (?P<after>{_DAY})"
    rf"|\b(?:until|till|up to|through|ending(?: in| on)?) (?P<until>{_DAY})"
    rf"|\bbefore (?P<before>{_DAY})"
    rf"|\b(?:in|during) (?P<within>{_DAY})",
    re.IGNORECASE,
)
_BARS: Final = r"(?i:bars?|candles?|candlesticks?|charts?|data|timeframe)"
_TIMEFRAMES: Final = re.compile(
    r"(?<![\w.])(?:(?P<number>[1-9]\d{0,2})(?P<unit>[mhdwHDW])"
    r"|(?P<unit_first>[MHDW])(?P<number_last>[1-9]\d{0,2})"
    r"|(?P<adjective>(?i:daily|hourly|weekly))"
    r"|(?P<count>[1-9]\d{0,2})[ -]?(?:(?P<word>(?i:min|minute|hr|hour))"
    rf"|(?P<long_word>(?i:mins|minutes|hrs|hours|days?|weeks?))(?=[ -]{_BARS}\b)))(?!\w)"
)
_ADJECTIVES: Final = {"daily": "1d", "hourly": "1h", "weekly": "1w"}


@dataclass(frozen=True)
class Named:
    """Something that a brief names.

    Attributes:
        start: Where it begins in the text.
        end: Where it ends.
    """

    start: int
    end: int


@dataclass(frozen=True)
class NamedTimeframe(Named):
    """A timeframe, such as `1h`."""

    timeframe: str


@dataclass(frozen=True)
class NamedDays(Named):
    """A range of days, the first and the last included. None is open."""

    start_date: date | None
    end_date: date | None


def find_timeframes(text: str) -> Iterator[NamedTimeframe]:
    """Yield the timeframes, in their order."""
    for found in _TIMEFRAMES.finditer(text):
        if found["adjective"]:
            timeframe = _ADJECTIVES[found["adjective"].lower()]
        else:
            number = found["number"] or found["number_last"] or found["count"]
            unit = found["unit"] or found["unit_first"] or found["word"] or found["long_word"]
            timeframe = f"{number}{unit[0].lower()}"
        yield NamedTimeframe(*found.span(), timeframe)


def find_days(text: str) -> Iterator[NamedDays]:
    """Yield the ranges of days, in their order. A range that ends before it begins is left out."""
    for found in _PERIODS.finditer(text):
        try:
            start_date, end_date = _read(found)
        except ValueError:  # There is no 31 February.
            continue
        if start_date is None or end_date is None or start_date <= end_date:
            yield NamedDays(*found.span(), start_date, end_date)


def _read(found: re.Match[str]) -> tuple[date | None, date | None]:
    if found["since"]:
        return _first_day(found["since"]), None
    if found["after"]:
        return _last_day(found["after"]) + timedelta(days=1), None
    if found["until"]:
        return None, _last_day(found["until"])
    if found["before"]:
        return None, _first_day(found["before"]) - timedelta(days=1)
    first = found["first"] or found["least"] or found["within"]
    last = found["last"] or found["most"] or found["within"]
    return _first_day(first), _last_day(last)


def _first_day(text: str) -> date:
    """Return the first day of a year, a month or a day."""
    year, month, day = [*map(int, text.split("-")), 1, 1][:3]
    return date(year, month, day)


def _last_day(text: str) -> date:
    """Return the last day of a year, a month or a day."""
    parts = [*map(int, text.split("-"))]
    year, month = [*parts, 12][:2]
    return date(year, month, parts[2] if len(parts) == 3 else monthrange(year, month)[1])
