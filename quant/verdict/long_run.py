"""The long-run variance of returns: what their autocorrelation does to the error of a mean.

Sources: Newey and West (1987), Bartlett's weights; Andrews (1991) and Newey and West (1994), how
many bars they reach; Lo (2002), "The Statistics of Sharpe Ratios".
"""

import math
from typing import Final

import numpy as np

from quant.backtest.metrics import FloatArray
from quant.verdict.bootstrap import Bartlett

# Newey and West's rule of thumb for the least reach: 4 (n / 100) ^ (2 / 9).
_REACH: Final = (4.0, 100.0, 2.0 / 9.0)


def long_run_variance(values: FloatArray) -> float:
    """Return the variance of the sum of the values over their number, shape (bars,).

    It equals their variance if they are independent. The weights reach as far as the data suggest,
    and never less than the rule of thumb.
    """
    factor, unit, power = _REACH
    reach = factor * (len(values) / unit) ** power
    with np.errstate(invalid="ignore", divide="ignore"):
        suggested = Bartlett(values).bandwidth
    if math.isfinite(suggested):
        reach = min(max(reach, suggested), len(values) / 4.0)
    return float(np.squeeze(Bartlett(values, bandwidth=reach).cov.long_run))


def variance_ratio(returns: FloatArray) -> float:
    """Return the long-run variance over the variance of independent returns, shape (bars,).

    At least 1: negative autocorrelation, which the bid-ask bounce causes, is no evidence of skill.
    """
    independent = float(np.var(returns))
    return max(long_run_variance(returns) / independent, 1.0) if independent > 0.0 else 1.0
