"""An earlier assessment, judged by the trials made until today, and what a next one must reach.

`quant.verdict.significance` judges a research. This module repeats its last step from the recorded
figures alone, without numerical libraries: the leaderboard of the API uses it, and its list of
markets.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from quant.messages.evidence import Statistics
from quant.verdict.criteria import ALPHA_P_VALUE, RECORD_P_VALUE

_NORMAL = NormalDist()
_EULER_GAMMA = 0.5772156649015329
_LEAST_VARIANCE = 1e-12
# A Sharpe ratio needs two returns.
_FEWEST_BARS = 2


@dataclass(frozen=True)
class Today:
    """What an earlier assessment is worth today.

    Attributes:
        deflated_sharpe: P(true Sharpe > expected best of today's trials by chance).
        record_p_value: P(the best of today's trials, all worthless, has such a record).
        alpha_p_value: P(the best of today's trials, all without skill, has such an alpha); None if
            alpha was not recorded.
    """

    deflated_sharpe: float
    record_p_value: float
    alpha_p_value: float | None

    @property
    def p_value(self) -> float:
        """The larger of both: neither luck nor a rising market may explain the record."""
        return max(self.record_p_value, self.alpha_p_value or 0.0)

    @property
    def is_supported(self) -> bool:
        """Whether the record still meets its conditions."""
        return self.record_p_value <= RECORD_P_VALUE and (
            self.alpha_p_value is None or self.alpha_p_value <= ALPHA_P_VALUE
        )


def judge_today(trials: int, judged: Statistics) -> Today:
    """Judge recorded figures by so many trials.

    The number of trials only grows, so no figure is better than the recorded one. Assessments
    recorded without skewness and kurtosis count as normally distributed.
    """
    year = _find_periods_per_year(judged)
    trials = max(trials, judged.trials_ever)
    then = judged.record_p_value
    alpha = judged.alpha_t_value
    alpha_p = None if alpha is None else adjust_for_trials(trials, _survive(alpha))
    if year is None or judged.record_bars < _FEWEST_BARS:
        p_value = 1.0 - judged.deflated_sharpe if then is None else then
        return Today(judged.deflated_sharpe, p_value, alpha_p)
    sharpe = judged.record_sharpe / math.sqrt(year)
    variance = max(
        1.0 - judged.record_skewness * sharpe + (judged.record_kurtosis - 1.0) / 4.0 * sharpe**2,
        _LEAST_VARIANCE,
    )
    scale = math.sqrt((judged.record_bars - 1) / (variance * judged.variance_ratio))
    luck = expected_best_sharpe(trials, judged.record_bars)
    return Today(
        min(_NORMAL.cdf((sharpe - luck) * scale), judged.deflated_sharpe),
        max(adjust_for_trials(trials, _survive(sharpe * scale)), then or 0.0),
        alpha_p,
    )


def adjust_for_trials(trials: int, p_value: float) -> float:
    """Return what `quant.verdict.significance.adjust_for_trials` returns."""
    return -math.expm1(trials * math.log1p(-p_value)) if p_value < 1.0 else 1.0


def control_false_discoveries(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values of Benjamini and Yekutieli (2001), in the given order.

    Of all whose adjusted value is at most q, an expected share of at most q is false, whatever the
    dependence between them. Researches on one market depend on each other.
    """
    count = len(p_values)
    harmonic = sum(1.0 / number for number in range(1, count + 1))
    order = sorted(range(count), key=lambda index: p_values[index], reverse=True)
    adjusted, least = [1.0] * count, 1.0
    for rank, index in zip(range(count, 0, -1), order, strict=True):
        least = min(least, p_values[index] * count * harmonic / rank)
        adjusted[index] = least
    return adjusted


def _survive(value: float) -> float:
    """Return P(a standard normal value is larger), exact in the tail."""
    return 0.5 * math.erfc(value / math.sqrt(2.0))


def find_expected_best(trials: int, judged: Statistics) -> float | None:
    """Return the annualised Sharpe ratio of the best of `trials` by chance, in such a record.

    None if the figures do not say how long the record is.
    """
    year = _find_periods_per_year(judged)
    if year is None or judged.record_bars < _FEWEST_BARS:
        return None
    return expected_best_sharpe(trials, judged.record_bars) * math.sqrt(year)


def find_required_sharpe(trials: int, judged: Statistics) -> float | None:
    """Return the annualised Sharpe ratio that a record must reach to be better than luck.

    It is that of a record with the length, skewness, kurtosis and autocorrelation of the judged
    one, whose p-value as the least of `trials` is at the limit: the positive solution of
    SR^2 (n - 1) = z^2 r (1 - skew SR + (kurtosis - 1) / 4 SR^2). None if no ratio would be enough,
    or if the figures do not say how long the record is.
    """
    year = _find_periods_per_year(judged)
    if year is None or judged.record_bars < _FEWEST_BARS:
        return None
    beyond = _NORMAL.inv_cdf((1.0 - RECORD_P_VALUE) ** (1.0 / max(trials, 1)))
    scale = beyond**2 * judged.variance_ratio / (judged.record_bars - 1)
    # a SR^2 - 2 b SR + c = 0
    a = 1.0 - scale * (judged.record_kurtosis - 1.0) / 4.0
    b = -scale * judged.record_skewness / 2.0
    c = -scale
    if a <= 0.0:
        return None
    return (b + math.sqrt(b**2 - a * c)) / a * math.sqrt(year)


def expected_best_sharpe(trials: int, bars: int) -> float:
    """Return what `quant.verdict.significance.expected_best_sharpe` returns, per bar."""
    if trials < 2 or bars < 1:
        return 0.0
    best = (1.0 - _EULER_GAMMA) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    best += _EULER_GAMMA * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return best / math.sqrt(bars)


def _find_periods_per_year(judged: Statistics) -> float | None:
    """Return the recorded bars per year, or derive them from two recorded figures."""
    if judged.periods_per_year is not None:
        return judged.periods_per_year
    luck = expected_best_sharpe(judged.trials_ever, judged.record_bars)
    return (
        (judged.expected_best_sharpe / luck) ** 2 if luck and judged.expected_best_sharpe else None
    )
