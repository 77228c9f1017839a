"""Performance figures of an account, each a function of arrays.

`returns` are simple returns per bar after costs, shape (bars,). `equity` is the value of the
account at each close in units of its start, shape (bars,). Neither has NaN.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Rounding leaves a smaller deviation in a constant series; that of real returns is far larger.
NO_VARIANCE: Final = 1e-12

# An account that grows faster was observed for minutes or days. No account keeps that up.
MOST_GROWTH: Final = 1000.0


def sharpe(returns: FloatArray) -> float | None:
    """Return mean over sample standard deviation of the returns (Sharpe 1994), per bar.

    The risk-free rate is taken as zero. None with fewer than two returns or without variance.
    """
    if len(returns) < 2:
        return None
    deviation = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / deviation if deviation > NO_VARIANCE else None


def annualised_sharpe(returns: FloatArray, periods_per_year: float) -> float | None:
    """Return the Sharpe ratio per bar times the square root of the bars per year (Lo 2002)."""
    return annualise(sharpe(returns), periods_per_year)


def annualise(sharpe_per_bar: float | None, periods_per_year: float) -> float | None:
    """Annualise a Sharpe ratio per bar; None stays None."""
    return None if sharpe_per_bar is None else sharpe_per_bar * float(np.sqrt(periods_per_year))


def to_returns(equity: Sequence[float] | FloatArray) -> FloatArray:
    """Return simple returns, shape (bars,), of an equity that stays positive; the first is 0."""
    values = np.asarray(equity, np.float64)
    returns = np.zeros_like(values)
    returns[1:] = values[1:] / values[:-1] - 1.0
    return returns


def drawdown(equity: FloatArray) -> FloatArray:
    """Return the loss from the peak so far, shape (bars,), as a positive fraction of the peak."""
    peak = np.maximum.accumulate(equity)
    return 1.0 - equity / peak


def max_drawdown(equity: FloatArray) -> float:
    """Return the largest drawdown: 0 for equity that never falls, above 1 for debt."""
    return float(np.max(drawdown(equity), initial=0.0))


def total_return(equity: FloatArray) -> float:
    """Return the gain from the first to the last close, as a fraction of the first."""
    return float(equity[-1] / equity[0] - 1.0) if len(equity) else 0.0


def annual_return(equity: FloatArray, periods_per_year: float) -> float | None:
    """Return the compound growth per year: (end / start) ** (periods per year / periods) - 1.

    -1 for an account that lost everything, 0 for fewer than two bars. None if it is not
    meaningful, because so short a time, extrapolated to a year, multiplies the account by more than
    `MOST_GROWTH`.
    """
    periods = len(equity) - 1
    if periods < 1:
        return 0.0
    growth = float(equity[-1] / equity[0])
    if growth <= 0.0:
        return -1.0
    if math.log(growth) * periods_per_year / periods > math.log(MOST_GROWTH):
        return None
    return float(growth ** (periods_per_year / periods)) - 1.0


def annual_volatility(returns: FloatArray, periods_per_year: float) -> float:
    """Return the sample standard deviation times the square root of the bars per year."""
    return float(np.std(returns, ddof=1) * np.sqrt(periods_per_year)) if len(returns) > 1 else 0.0


def exposure(positions: FloatArray) -> float:
    """Return the fraction of bars at whose close a position, long or short, was held.

    Args:
        positions: Weight held at each close, shape (bars, instruments), or (bars,) for one.
    """
    held = positions != 0
    return float(np.mean(held.any(axis=1) if held.ndim == 2 else held)) if len(held) else 0.0


def turnover(traded_notional: float, equity: FloatArray, periods_per_year: float) -> float:
    """Return the value of all purchases and sales per year, over the average equity.

    0 for fewer than two bars or an average equity that is not positive.
    """
    periods = len(equity) - 1
    average = float(np.mean(equity)) if periods > 0 else 0.0
    return traded_notional / average * periods_per_year / periods if average > 0.0 else 0.0


def win_rate(trade_returns: Sequence[float]) -> float | None:
    """Return the fraction of trades with a profit after costs; None without trades."""
    if not trade_returns:
        return None
    return sum(value > 0.0 for value in trade_returns) / len(trade_returns)
