"""Where the ticks of an axis are, and what stands at them.

Lengths are in the units of a figure.
"""

import math
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from quant.wording import MINUS

# The least distance of labels below each other and beside each other, and the width of a character.
_LINE: Final = 12.0
_BETWEEN: Final = 7.0
_CHARACTER: Final = 4.7

# The values within a decade that may have a label, from many to few.
_MANTISSAS: Final = (tuple(range(1, 10)), (1, 2, 3, 5), (1, 2, 5))

# A unit, steps of it, its length in seconds, and the part of an ISO 8601 time at its ticks.
_UNITS: Final = (
    ("s", (1, 2, 5, 15, 30), 1, slice(11, 19)),
    ("m", (1, 2, 5, 15, 30), 60, slice(5, 16)),
    ("h", (1, 2, 3, 6, 12), 3_600, slice(5, 16)),
    ("D", (1, 2, 7, 14), 86_400, slice(0, 10)),
    ("M", (1, 3, 6), 2_629_746, slice(0, 7)),
    ("Y", (1, 2, 5, 10, 20, 50, 100, 200), 31_556_952, slice(0, 4)),
)
# Those that always have the same length.
_LENGTHS: Final = {unit: length for unit, _, length, _ in _UNITS if unit not in ("M", "Y")}
# From which value a unit is counted, if not from 1970: years from 0, weeks from a Monday.
_ORIGINS: Final = {"Y": -1970, "D": 4}

_EPOCH: Final = datetime(1970, 1, 1)
# What a calendar has, in seconds since then.
_FIRST_TIME: Final = (datetime.min - _EPOCH).total_seconds()
_LAST_TIME: Final = (datetime.max - _EPOCH).total_seconds() - 1.0


class Tick(NamedTuple):
    """A value on an axis and its label."""

    value: float
    label: str


def list_numbers(low: float, high: float, most: float, *, whole: bool = False) -> list[Tick]:
    """Return ticks at multiples of 1, 2, 2.5 or 5 times a power of ten.

    Args:
        low: Lower end of the axis.
        high: Upper end, above the lower one.
        most: How many steps fit.
        whole: Whether only integers are wanted.
    """
    least = (high - low) / max(most, 1.0)
    power = 10.0 ** math.floor(math.log10(least))
    factors = (1.0, 2.0, 5.0, 10.0) if whole else (1.0, 2.0, 2.5, 5.0, 10.0)
    step = power * next((each for each in factors if each * power >= least * (1.0 - 1e-9)), 10.0)
    step = max(step, 1.0) if whole else step
    decimals = next(each for each in (*range(12), 12) if _is_rounded(step, each))
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return _label([number * step for number in numbers], decimals)


def list_decades(low: float, high: float, length: float) -> list[Tick]:
    """Return ticks of a logarithmic axis: at 1 to 9 times the powers of ten, or fewer if few fit.

    Args:
        low: Lower end, above 0.
        high: Upper end, above the lower one.
        length: Length of the axis.
    """
    start, stop = math.log10(low), math.log10(high)
    decade = length / (stop - start)
    mantissas = next((each for each in _MANTISSAS if _find_gap(each) * decade >= _LINE), (1,))
    every = math.ceil(_LINE / decade)
    ticks = [
        tick
        for power in range(math.floor(start / every) * every, math.floor(stop) + 1, every)
        for tick in _label([float(f"{each}e{power}") for each in mantissas], max(0, -power))
        if low <= tick.value <= high
    ]
    # A part of a decade may have none.
    return ticks if len(ticks) > 1 else list_numbers(low, high, length / (2.0 * _LINE))


def list_times(low: float, high: float, length: float) -> list[Tick]:
    """Return ticks where units of the calendar begin, in UTC.

    Args:
        low: Lower end, in seconds since 1970.
        high: Upper end, above the lower one.
        length: Length of the axis.
    """
    low, high = max(low, _FIRST_TIME), min(high, _LAST_TIME)
    unit, step, shown = _choose_unit(high - low, length)
    origin = _ORIGINS.get(unit, 0)
    first = math.ceil((_count_units(low, unit) - origin) / step)
    last = (_count_units(high, unit) - origin) // step
    times = [_begin_unit(number * step + origin, unit) for number in range(first, last + 1)]
    ticks = [((each - _EPOCH).total_seconds(), each.isoformat()) for each in times]
    return [
        Tick(seconds, text[shown].replace("T", " "))
        for seconds, text in ticks
        if low <= seconds <= high
    ]


def _count_units(seconds: float, unit: str) -> int:
    """Return how many whole units of the calendar lie between 1970 and a time."""
    if unit in _LENGTHS:
        return int(seconds // _LENGTHS[unit])
    time = _EPOCH + timedelta(seconds=seconds)
    years = time.year - _EPOCH.year
    return years if unit == "Y" else 12 * years + time.month - 1


def _begin_unit(number: int, unit: str) -> datetime:
    """Return when the unit begins that has this number, counted from 1970."""
    if unit in _LENGTHS:
        return _EPOCH + timedelta(seconds=number * _LENGTHS[unit])
    years, months = (number, 0) if unit == "Y" else divmod(number, 12)
    return _EPOCH.replace(year=_EPOCH.year + years, month=months + 1)


def _choose_unit(seconds: float, length: float) -> tuple[str, int, slice]:
    """Return the finest unit and step whose labels fit beside each other."""
    for unit, steps, duration, shown in _UNITS:
        label = (shown.stop - shown.start) * _CHARACTER + _BETWEEN
        for step in steps:
            if seconds / (step * duration) * label <= length:
                return unit, step, shown
    return unit, step, shown


def _find_gap(mantissas: tuple[int, ...]) -> float:
    """Return the least distance between neighbours, in decades."""
    following = (*mantissas[1:], 10)
    return min(math.log10(b / a) for a, b in zip(mantissas, following, strict=True))


def _is_rounded(value: float, decimals: int) -> bool:
    return math.isclose(round(value, decimals), value, rel_tol=1e-6) or decimals == 12


def _label(values: list[float], decimals: int) -> list[Tick]:
    """Label values, rounded; very large and very small ones by their exponent."""
    largest = max(map(abs, values), default=0.0)
    style = f"z,.{decimals}f" if 1e-3 <= largest < 1e7 else "zg"
    return [Tick(value, format(value, style).replace("-", MINUS)) for value in values]
