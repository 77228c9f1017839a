"""Oddities of bars that are no errors: holes, and jumps like those of splits and bad ticks."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Bars, Floats
from quant.bars.checks.spacing import NANOSECONDS_PER_MINUTE
from quant.bars.timeframes import MINUTES_PER_DAY, count_minutes, is_daily
from quant.wording import format_count

_SHOWN: Final = 3
_DAY: Final = MINUTES_PER_DAY * NANOSECONDS_PER_MINUTE
_DAYS_PER_YEAR: Final = 365.25

# Holidays close a market for up to eleven days. One that never closes misses nothing for a day.
_LONGEST_HOLIDAY: Final = 14 * _DAY
_LONGEST_OUTAGE: Final = 1 * _DAY
_BARS_MISSED: Final = 3
_SATURDAY, _SUNDAY, _FRIDAY = 5, 6, 4
# A seventh of all bars are on a Saturday if the market never closes.
_SHARE_OF_SATURDAYS: Final = 0.1

# A jump is as large as that, and much larger than what is usual for these bars.
_LEAST_JUMP: Final = math.log(1.3)
_USUAL_MOVES: Final = 8.0
# So many standard deviations are one median absolute deviation of normal values.
_DEVIATIONS: Final = 1.4826
# New shares for old ones.
_SPLITS: Final = (
    (3, 2),
    *((new, 1) for new in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)),
)
# A price that is back after so many bars was a bad tick.
_BARS_UNTIL_BACK: Final = 3
_ROUNDING: Final = 0.01


def list_oddities(bars: Bars) -> list[str]:
    """Return a sentence for each kind of oddity. Rows are counted from 1."""
    return [*_describe_holes(bars), *_describe_jumps(bars), *_describe_days(bars)]


def _describe_holes(bars: Bars) -> Iterator[str]:
    steps = np.diff(bars.timestamps)
    bar = count_minutes(bars.timeframe) * NANOSECONDS_PER_MINUTE
    never_closes = np.mean(_compute_weekdays(bars) == _SATURDAY) >= _SHARE_OF_SATURDAYS
    usual = _LONGEST_OUTAGE if never_closes else _LONGEST_HOLIDAY
    holes = np.flatnonzero(steps > max(usual, _BARS_MISSED * bar))
    if not len(holes):
        return
    largest = holes[np.argsort(-steps[holes], kind="stable")][:_SHOWN]
    shown = ", ".join(
        f"{_describe_span(int(steps[hole]))} before row {hole + 2:,} ({bars.format_time(hole + 1)})"
        for hole in sorted(largest.tolist())
    )
    yield f"{format_count(len(holes), 'hole')} in the bars: {shown}{_count_more(len(holes))}."


def _describe_jumps(bars: Bars) -> Iterator[str]:
    moves = np.diff(np.log(bars.close))
    usual = _DEVIATIONS * float(np.median(np.abs(moves - np.median(moves))))
    limit = max(_LEAST_JUMP, _USUAL_MOVES * usual)
    jumps: list[str] = []
    explained = -1
    for jump in np.flatnonzero(np.abs(moves) > limit).tolist():
        if jump <= explained:
            continue
        back = _find_return(moves, jump)
        like = "a bad tick" if back is not None else _name_split(float(moves[jump]), usual)
        explained = jump if back is None else back
        jumps.append(
            f"row {jump + 2:,} ({bars.format_time(jump + 1)}), ratio {np.exp(moves[jump]):.4g}"
            + (f", like {like}" if like else "")
        )
    if jumps:
        yield (
            f"{format_count(len(jumps), 'jump')} of the close that may not be the market's: "
            f"{'; '.join(jumps[:_SHOWN])}{_count_more(len(jumps))}."
        )


def _find_return(moves: Floats, jump: int) -> int | None:
    """Return the move with which the price is back where it was before the jump, if it soon is."""
    since = np.cumsum(moves[jump : jump + 1 + _BARS_UNTIL_BACK])
    back = np.flatnonzero(np.abs(since[1:]) < abs(since[0]) / 4.0)
    return jump + 1 + int(back[0]) if len(back) else None


def _name_split(move: float, usual: float) -> str | None:
    """Return which split a logarithmic move looks like; None if it is not near any."""
    new, old = min(_SPLITS, key=lambda split: abs(math.log(split[0] / split[1]) - abs(move)))
    if abs(math.log(new / old) - abs(move)) > max(3.0 * usual, _ROUNDING):
        return None
    return f"a {new}:{old} split" if move < 0.0 else f"a {old}:{new} split"


def _describe_days(bars: Bars) -> Iterator[str]:
    """Name daily bars that are dated a day early, as those of Tokyo are in UTC."""
    if not is_daily(bars.timeframe) or count_minutes(bars.timeframe) > MINUTES_PER_DAY:
        return
    days = _compute_weekdays(bars)
    if np.any(days == _SUNDAY) and not np.any((days == _FRIDAY) | (days == _SATURDAY)):
        yield (
            "There are bars on Sundays and none on Fridays: the dates may be a day early. Name the "
            "time zone of the market (--timezone, or `timezone` in mapping.yaml)."
        )


def _compute_weekdays(bars: Bars) -> NDArray[np.int64]:
    """Return the day of the week of each bar in UTC, shape (bars,); Monday is 0."""
    return (bars.timestamps // _DAY + 3) % 7


def _describe_span(nanoseconds: int) -> str:
    days = nanoseconds / _DAY
    if days >= _DAYS_PER_YEAR:
        return f"{days / _DAYS_PER_YEAR:.1f} years"
    return f"{days:.1f} days"


def _count_more(number: int) -> str:
    return f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
