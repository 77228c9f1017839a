"""How the values of an axis become coordinates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from quant.bars.bars import Floats
from quant.report.chart import Axis, ScaleKind
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
        values: Iterable[Floats],
        start: float,
        stop: float,
        *,
        from_zero: bool = False,
    ) -> "Scale":
        """Return a scale on which all values have room.

        Args:
            axis: The axis.
            values: What is shown on it, shape (values,) each. Only finite values count.
            start: Coordinate of the lower end.
            stop: Coordinate of the upper end.
            from_zero: Whether the axis begins at 0. Then no value is negative.
        """
        known = np.concatenate([np.empty(0), *(_measure(each, axis.scale) for each in values)])
        known = known[np.isfinite(known)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        largest = max(abs(low), abs(high))
        if high - low <= _SAME * largest or high - low < 1.0 / _LARGEST:
            margin = _MARGIN * (largest if largest > 1.0 / _LARGEST else 1.0)
        else:
            margin = (high - low) * (_MARGIN_OF_TIME if axis.scale == "time" else _MARGIN)
        low = 0.0 if from_zero else low - margin
        return cls(axis.scale, low, high + margin, start, stop, not len(known))

    def place(self, values: Floats) -> Floats:
        """Return the coordinates of values, both of shape (values,). What has none is NaN."""
        measured = np.clip(_measure(values, self.kind), self.low, self.high)
        share = (measured - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def place_one(self, value: float) -> float:
        """Return the coordinate of a value."""
        return float(self.place(np.array([value]))[0])

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


def _measure(values: Floats, kind: ScaleKind) -> Floats:
    """Return values, or their logarithms to base 10, in the same shape.

    What is not finite is NaN. The logarithm of what is not positive is negative infinity.
    """
    finite = np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)
    if kind != "log":
        return finite
    logarithms = np.log10(np.maximum(finite, 1.0 / _LARGEST))
    return np.where(finite <= 0.0, -np.inf, logarithms)
