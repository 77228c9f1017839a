"""How much of the account each instrument may have: its share.

The shares of a time add up to 1. Only instruments that are *active* then have one: those that had a
bar lately. So nothing depends on when an instrument will end.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Floats

# An instrument without a bar for so many times of the clock has left, until it has one again.
LONGEST_ABSENCE: Final = 10
# Volatility is measured over so many bars of an instrument, and anew after so many of the clock. In
# between shares stay, because every change of a share is traded.
VOLATILITY_BARS: Final = 60
FEWEST_RETURNS: Final = 20
BARS_BETWEEN_CHANGES: Final = 20


def find_active(exists: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where an instrument is active, shape (bars, instruments), as `exists`."""
    bar = np.arange(len(exists))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(exists, bar, -LONGEST_ABSENCE), axis=0)
    active: NDArray[np.bool_] = bar - latest < LONGEST_ABSENCE
    return active


def share_equally(exists: NDArray[np.bool_]) -> Floats:
    """Return equal shares of the active instruments.

    Args:
        exists: Where there is a bar, shape (bars, instruments).

    Returns:
        Shape (bars, instruments), 0 for an instrument that is not active.
    """
    active = find_active(exists)
    shares: Floats = active / np.maximum(active.sum(axis=1, keepdims=True), 1)
    return shares


def share_by_volatility(exists: NDArray[np.bool_], closes: Floats) -> Floats:
    """Return shares in proportion to one over the volatility, which fall as prices move more.

    An instrument with too few returns counts as volatile as the most volatile one.

    Args:
        exists: Where there is a bar, shape (bars, instruments).
        closes: Last price of each bar, of the same shape, NaN where there is none.

    Returns:
        Shape (bars, instruments), 0 for an instrument that is not active.
    """
    active = find_active(exists)
    volatility = _hold(_measure_volatility(exists, closes))
    most = np.max(np.nan_to_num(volatility), axis=1, keepdims=True, where=active, initial=0.0)
    # NaN is not above 0. Where nothing is known of any, all are equal.
    known = np.where(volatility > 0.0, volatility, np.where(most > 0.0, most, 1.0))
    inverse = np.where(active, 1.0 / known, 0.0)
    total = inverse.sum(axis=1, keepdims=True)
    return inverse / np.where(total > 0.0, total, 1.0)


def _measure_volatility(exists: NDArray[np.bool_], closes: Floats) -> Floats:
    """Return the standard deviation of the latest returns of each instrument at each of its bars.

    Shape (bars, instruments), NaN where there is no bar or too few returns.
    """
    found = np.full(closes.shape, np.nan)
    for column in range(closes.shape[1]):
        rows = np.flatnonzero(exists[:, column])
        if len(rows) <= FEWEST_RETURNS:
            continue
        moves = np.diff(np.log(closes[rows, column]))
        found[rows[1:], column] = rolling_deviation(moves, VOLATILITY_BARS, FEWEST_RETURNS)
    return found


def rolling_deviation(values: Floats, window: int, fewest: int) -> Floats:
    """Return the standard deviation of the last `window` values at each, shape (values,).

    NaN before there are `fewest` values.
    """
    count = np.arange(1, len(values) + 1)
    used = np.minimum(count, window)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    total = sums[count] - sums[count - used]
    square = squares[count] - squares[count - used]
    variance = (square - total**2 / used) / np.maximum(used - 1, 1)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    return np.where(count < fewest, np.nan, deviation)


def _hold(values: Floats) -> Floats:
    """Keep what is known at every `BARS_BETWEEN_CHANGES`-th time until the next, as `values`."""
    row = np.where(np.isnan(values), 0, np.arange(len(values))[:, np.newaxis])
    latest = np.take_along_axis(values, np.maximum.accumulate(row, axis=0), axis=0)
    sampled = np.arange(len(values)) // BARS_BETWEEN_CHANGES * BARS_BETWEEN_CHANGES
    return latest[sampled]
