"""Alpha over buy and hold: what a strategy earns beyond its share of the market.

A strategy that holds a rising market half of the time earns half of the rise without any skill. The
regression of its returns on those of the market takes that away.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from quant.backtest.metrics import NO_VARIANCE, FloatArray
from quant.verdict.long_run import long_run_variance


@dataclass(frozen=True)
class Alpha:
    """The regression of returns on those of the market.

    Attributes:
        per_bar: Intercept, the mean return per bar of the part that the market does not explain.
        beta: Slope, the share of the market that is held on average.
        t_value: Intercept over its standard error.
    """

    per_bar: float
    beta: float
    t_value: float

    @property
    def p_value(self) -> float:
        """P(such an intercept or a larger one) if it is not positive in truth."""
        return float(norm.sf(self.t_value))


def measure_alpha(returns: FloatArray, market: FloatArray) -> Alpha:
    """Regress returns on the market's, by ordinary least squares.

    The standard error allows for variances that change and for autocorrelation (Newey and West
    1987). Returns that the market explains entirely, such as those of holding it, have no alpha: a
    t-value of 0. A market without variance explains nothing.

    Args:
        returns: Simple returns per bar, beyond those of cash, shape (bars,).
        market: The same of buy and hold.
    """
    deviation = market - np.mean(market)
    spread = float(np.mean(deviation**2))
    moves = math.sqrt(spread) > NO_VARIANCE
    beta = float(np.mean(returns * deviation)) / spread if moves else 0.0
    alpha = float(np.mean(returns) - beta * np.mean(market))
    residuals = returns - alpha - beta * market
    if float(np.std(residuals)) <= max(NO_VARIANCE, 1e-9 * float(np.std(returns))):
        return Alpha(alpha, beta, 0.0)
    # What each bar contributes to the error of the intercept.
    weights = 1.0 - np.mean(market) * deviation / spread if moves else np.ones(len(returns))
    error = math.sqrt(max(long_run_variance(residuals * weights), 0.0) / len(returns))
    return Alpha(alpha, beta, alpha / error if error > 0.0 else 0.0)
