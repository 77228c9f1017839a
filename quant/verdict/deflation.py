"""The deflated Sharpe ratio of an earlier assessment, by the trials made until today.

`quant.verdict.significance` judges a research. This module repeats its last step from the recorded
figures alone, without numerical libraries: the leaderboard of the API uses it.
"""

import math
from statistics import NormalDist

from quant.messages.evidence import Statistics

_NORMAL = NormalDist()
_EULER_GAMMA = 0.5772156649015329
_LEAST_VARIANCE = 1e-12
# A Sharpe ratio needs two returns.
_FEWEST_BARS = 2


def deflate_sharpe(trials: int, judged: Statistics) -> float:
    """Return P(true Sharpe > expected best of `trials` by chance), by the recorded figures.

    The number of trials only grows, so the result never exceeds the recorded one. Assessments
    recorded without skewness and kurtosis count as normally distributed.
    """
    year = _find_periods_per_year(judged)
    if year is None or judged.record_bars < _FEWEST_BARS:
        return judged.deflated_sharpe
    sharpe = judged.record_sharpe / math.sqrt(year)
    variance = max(
        1.0 - judged.record_skewness * sharpe + (judged.record_kurtosis - 1.0) / 4.0 * sharpe**2,
        _LEAST_VARIANCE,
    )
    luck = _expected_best_sharpe(max(trials, judged.trials_ever), judged.record_bars)
    now = _NORMAL.cdf((sharpe - luck) * math.sqrt((judged.record_bars - 1) / variance))
    return min(now, judged.deflated_sharpe)


def _expected_best_sharpe(trials: int, bars: int) -> float:
    """Return what `quant.verdict.significance.expected_best_sharpe` returns."""
    if trials < 2:
        return 0.0
    best = (1.0 - _EULER_GAMMA) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    best += _EULER_GAMMA * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return best / math.sqrt(bars)


def _find_periods_per_year(judged: Statistics) -> float | None:
    """Return the recorded bars per year, or derive them from two recorded figures."""
    if judged.periods_per_year is not None:
        return judged.periods_per_year
    luck = _expected_best_sharpe(judged.trials_ever, judged.record_bars)
    return (
        (judged.expected_best_sharpe / luck) ** 2 if luck and judged.expected_best_sharpe else None
    )
