"""The distance between bars: which timeframe it shows, and whether that is the declared one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from errors import InvalidData
from quant.bars.timeframes import MINUTES, MINUTES_PER_DAY, count_minutes

NANOSECONDS_PER_MINUTE: Final = 60 * 10**9

# A day has 23 hours where summer begins, and a month of 31 days is a bar of 30.
_TOLERANCE: Final = 0.1
# Markets close, so not every bar follows the one before at once. But some must.
_LEAST_SHARE: Final = 0.1
# The first or last bar of a session may be shorter than the others.
_MOST_SHORTER: Final = 0.34
_MONTH: Final = range(29 * MINUTES_PER_DAY, 31 * MINUTES_PER_DAY + 1)


def guess_timeframe(timestamps: npt.NDArray[np.int64]) -> str | None:
    """Return the timeframe of most bars; None if they have none, or there are fewer than two.

    Args:
        timestamps: Nanoseconds, in either order, shape (bars,).
    """
    steps = np.abs(np.diff(timestamps))
    steps = steps[steps > 0]
    if not len(steps):
        return None
    lengths, counts = np.unique(steps, return_counts=True)
    minutes, rest = divmod(int(lengths[np.argmax(counts)]), NANOSECONDS_PER_MINUTE)
    if rest or not minutes:
        return None
    if minutes in _MONTH:
        return "30d"
    unit = next(unit for unit, length in MINUTES.items() if minutes % length == 0)
    guessed = f"{minutes // MINUTES[unit]}{unit}"
    return guessed if minutes // MINUTES[unit] < 1000 else None


def require_timeframe(
    timestamps: npt.NDArray[np.int64], timeframe: str, name: str, symbol: str
) -> None:
    """Check that bars are as far apart as their timeframe says.

    Args:
        timestamps: Nanoseconds since 1970, strictly increasing, shape (bars,).
        timeframe: What was declared.
        name: Name of the table in messages.
        symbol: Symbol, for the advice.

    Raises:
        InvalidData: They are not; the message says what they are instead.
    """
    steps = np.diff(timestamps) / (count_minutes(timeframe) * NANOSECONDS_PER_MINUTE)
    if not len(steps):
        return
    agreeing = float(np.mean(np.abs(steps - 1.0) <= _TOLERANCE))
    shorter = float(np.mean(steps < 1.0 - _TOLERANCE))
    if agreeing >= _LEAST_SHARE and shorter <= _MOST_SHORTER:
        return
    guessed = guess_timeframe(timestamps)
    advice = (
        f"If they are {guessed} bars, import them with --timeframe {guessed}, or name the file "
        f"{symbol}_{guessed}"
        if guessed is not None and guessed != timeframe
        else "Check their times"
    )
    raise InvalidData(
        f"{name} is declared as {timeframe}, but its bars are mostly "
        f"{_describe_step(float(np.median(np.diff(timestamps))))} apart. {advice}.",
        field="timeframe",
    )


def _describe_step(nanoseconds: float) -> str:
    minutes = nanoseconds / NANOSECONDS_PER_MINUTE
    for length, word in ((MINUTES_PER_DAY, "day"), (60, "hour"), (1, "minute")):
        if minutes >= length:
            number = minutes / length
            return f"{number:.4g} {word}{'' if number == 1.0 else 's'}"
    return f"{nanoseconds / 1e9:.4g} s"
