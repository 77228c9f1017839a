"""How the values of an axis become coordinates."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quant.report.chart import Axis, ScaleKind, Values
from quant.report.ticks import Tick, list_decades, list_numbers, list_times

# Free space at both ends, as a fraction of what lies between them.
_MARGIN: Final = 0.05
_MARGIN_OF_TIME: Final = 0.01
# The least lengths between ticks.
_BELOW: Final = 24.0
_BESIDE: Final = 36.0
# Beyond this and below its inverse, differences of two values may not be numbers any more.
_LARGEST: Final = 1e100
# Values are the same if they differ by less than this fraction.
_SAME: Final = 1e-9


@dataclass(frozen=True)
class Scale:
    """An axis in a figure.

    Attributes:
        kind: How values become positions.
        low: Value at the start; its logarithm to base 10 if logarithmic.
        high: The same at the stop.
        start: Coordinate of the lower end. Coordinates grow to the right and downwards.
        stop: Coordinate of the upper end.
        is_empty: Whether no value is on the axis.
    """

    kind: ScaleKind
    low: float
    high: float
    start: float
    stop: float
    is_empty: bool

    @classmethod
    def fit(
        cls,
        axis: Axis,
        values: Iterable[Values],
        start: float,
        stop: float,
        *,
        from_zero: bool = False,
    ) -> "Scale":
        """Return a scale on which all values have room.

        Args:
            axis: The axis.
            values: What is shown on it. Only finite values count.
            start: Coordinate of the lower end.
            stop: Coordinate of the upper end.
            from_zero: Whether the axis begins at 0. Then no value is negative.
        """
        measured = [number for each in values for number in _measure(each, axis.scale)]
        known = [each for each in measured if math.isfinite(each)]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        largest = max(abs(low), abs(high))
        if high - low <= _SAME * largest or high - low < 1.0 / _LARGEST:
            margin = _MARGIN * (largest if largest > 1.0 / _LARGEST else 1.0)
        else:
            margin = (high - low) * (_MARGIN_OF_TIME if axis.scale == "time" else _MARGIN)
        low = 0.0 if from_zero else low - margin
        return cls(axis.scale, low, high + margin, start, stop, not known)

    def place(self, values: Values) -> list[float]:
        """Return the coordinate of each value. What has none is NaN."""
        unit = (self.stop - self.start) / (self.high - self.low)
        return [
            self.start + (min(max(each, self.low), self.high) - self.low) * unit
            for each in _measure(values, self.kind)
        ]

    def place_one(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.place((value,))[0]

    def list_ticks(self) -> list[Tick]:
        """Return the ticks, from the lower end to the upper."""
        if self.is_empty:
            return []
        length = abs(self.stop - self.start)
        if self.kind == "time":
            return list_times(self.low, self.high, length)
        if self.kind == "log":
            return list_decades(10.0**self.low, 10.0**self.high, length)
        most = length / (_BESIDE if self.stop > self.start else _BELOW)
        return list_numbers(self.low, self.high, most, whole=self.kind == "whole")


def _measure(values: Values, kind: ScaleKind) -> list[float]:
    """Return values, or their logarithms to base 10.

    What is not finite is NaN. The logarithm of what is not positive is negative infinity.
    """
    finite = [
        min(max(each, -_LARGEST), _LARGEST) if math.isfinite(each) else math.nan for each in values
    ]
    return [_take_logarithm(each) for each in finite] if kind == "log" else finite


def _take_logarithm(value: float) -> float:
    return -math.inf if value <= 0.0 else math.log10(max(value, 1.0 / _LARGEST))
