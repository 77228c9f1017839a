"""Timeframes: the length of a bar."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from errors import InvalidInput
from quant.messages.data import Timeframe

DAILY: Final = "1d"
MINUTES_PER_DAY: Final = 1440
# Minutes of each unit, the longest first.
MINUTES: Final = {"w": 7 * MINUTES_PER_DAY, "d": MINUTES_PER_DAY, "h": 60, "m": 1}
_TIMEFRAME: TypeAdapter[str] = TypeAdapter(Timeframe)


def validate_timeframe(timeframe: str) -> str:
    """Return the timeframe.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return _TIMEFRAME.validate_python(timeframe)
    except ValidationError:
        raise InvalidInput(
            f"{timeframe!r} is not a timeframe; examples are 15m, 1h, 1d and 1w.",
            field="timeframe",
        ) from None


def count_minutes(timeframe: str) -> int:
    """Return the length of a bar in minutes."""
    return int(timeframe[:-1]) * MINUTES[timeframe[-1]]


def is_daily(timeframe: str) -> bool:
    """Return whether a bar lasts a day or longer."""
    return count_minutes(timeframe) >= MINUTES_PER_DAY
