"""What the bars themselves say about the cost of trading: bounce and tick.

Source: Roll (1984), "A Simple Implicit Measure of the Effective Bid-Ask Spread". Trades alternate
between bid and ask, so that consecutive returns are negatively correlated; the spread is
2 sqrt(-cov).
"""

import math
from typing import Final

import numpy as np

from quant.bars.bars import Bars, Floats

# The covariance of independent returns is that far from 0 once in a thousand series.
_STANDARD_ERRORS: Final = 3.0
# A tick is seen only where most changes of the price are few of them.
_MOST_TICKS: Final = 20.0
_DECIMALS: Final = 8


def measure_bounce(bars: Bars) -> float | None:
    """Return half the spread as a fraction of the price, or None if prices do not bounce clearly.

    The closes decide. Prices that return for another reason look the same, so this is what trading
    may cost, not what it does.
    """
    returns = np.diff(np.log(bars.close))
    if len(returns) < 3:
        return None
    returns = _clip(returns - np.mean(returns))
    products = returns[1:] * returns[:-1]
    mean = float(np.mean(products))
    error = float(np.std(products)) / math.sqrt(len(products))
    return math.sqrt(-mean) if mean < -_STANDARD_ERRORS * error and error > 0.0 else None


def measure_half_tick(bars: Bars) -> float | None:
    """Return half of the smallest step of the price as a fraction of it; None if none is seen."""
    moves = np.abs(np.diff(bars.close))
    moves = np.round(moves[moves > 0.0], _DECIMALS)
    if not len(moves):
        return None
    tick = float(np.min(moves))
    if tick <= 0.0 or float(np.median(moves)) > _MOST_TICKS * tick:
        return None
    steps = bars.close / tick
    if not np.allclose(steps, np.round(steps), atol=1e-3):
        return None
    return tick / 2.0 / float(np.median(bars.close))


def _clip(returns: Floats) -> Floats:
    """Limit returns, shape (bars,), to five deviations: one crash must not decide."""
    most = 5.0 * float(np.std(returns))
    return np.clip(returns, -most, most)
