"""Hansen's test for superior predictive ability, of one strategy against not trading.

Source: Hansen (2005), "A Test for Superior Predictive Ability". `arch` has the test for many
models. It draws resamples of its own, and its time grows with the square of the bars.
"""

import math

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from quant.backtest.metrics import FloatArray


def superior_p_value(returns: FloatArray, resampled: FloatArray, block: int) -> float:
    """Return the consistent p-value of the null: not trading is at least as good.

    Args:
        returns: Simple returns per bar, shape (bars,); at least three.
        resampled: Their means in resamples of the stationary bootstrap, shape (repetitions,).
        block: Mean length of a block of these resamples in bars.
    """
    mean = float(np.mean(returns))
    center = mean if mean >= 0.0 or mean >= _worst_relevant_mean(returns, block) else 0.0
    return float(np.mean(resampled - center > mean))


def _worst_relevant_mean(returns: FloatArray, block: int) -> float:
    """Return the mean below which a strategy is too bad to matter to the test."""
    bars = len(returns)
    return -math.sqrt(_bootstrap_variance(returns, block) / bars * 2 * math.log(math.log(bars)))


def _bootstrap_variance(returns: FloatArray, block: int) -> float:
    """Return the bars times the variance of the mean in the stationary bootstrap."""
    bars = len(returns)
    padded = next_fast_len(2 * bars, real=True)
    deviations = np.abs(rfft(returns - np.mean(returns), padded)) ** 2
    autocovariances = irfft(deviations, padded)[:bars] / bars
    lag = np.arange(bars)
    go_on = 1.0 - 1.0 / block
    weights = (1.0 - lag / bars) * go_on**lag + lag / bars * go_on ** (bars - lag)
    weights[1:] *= 2.0
    weights[0] = 1.0
    return max(float(weights @ autocovariances), 0.0)
