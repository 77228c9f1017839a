"""Measures how much of a track record could be luck.

Sharpe ratios are per bar inside this module and annualised in its result. Sources:

* Politis and Romano (1994), stationary bootstrap; Patton, Politis and White (2009), block length.
* Bailey and López de Prado (2012), "The Sharpe Ratio Efficient Frontier": probabilistic Sharpe
  ratio and minimum track record length.
* Bailey and López de Prado (2014), "The Deflated Sharpe Ratio".
* Lo (2002), "The Statistics of Sharpe Ratios": the correction for autocorrelation.
* Sidak (1967): the least of several p-values.
"""

import math
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from jsharpe import (
    expected_maximum_sharpe_ratio,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio_variance,
)
from scipy.stats import norm

from quant.backtest import metrics
from quant.backtest.metrics import FloatArray
from quant.messages.evidence import Statistics
from quant.verdict.alpha import measure_alpha
from quant.verdict.bootstrap import StationaryBootstrap, optimal_block_length
from quant.verdict.long_run import variance_ratio
from quant.verdict.spa import superior_p_value

REPETITIONS: Final = 1000
CONFIDENCE: Final = 0.95
# Of resamples. One by one they take twice the time.
_VALUES_AT_ONCE: Final = 2**17
# The estimates are asymptotic. On fewer returns they would mean nothing.
MINIMUM_RETURNS: Final = 30


@dataclass(frozen=True)
class Significance:
    """What returns show.

    Attributes:
        figures: All finite. Fewer than `MINIMUM_RETURNS` returns, or returns without variance,
            show nothing: ratios and probabilities are 0, p-values are 1, no track record.
        resampled: Annualised Sharpe ratios of the bootstrap, in its order; empty if the returns
            show nothing.
    """

    figures: Statistics
    resampled: tuple[float, ...]


def measure_significance(
    holdout: FloatArray,
    walk_forward: FloatArray,
    periods_per_year: float,
    *,
    holdout_market: FloatArray,
    walk_forward_market: FloatArray,
    trials_ever: int,
    holdout_looks: int,
    timing: float,
    seed: int,
) -> Significance:
    """Measure the significance of a strategy that was chosen among `trials_ever` candidates.

    Args:
        holdout: Simple returns per bar after costs, beyond those of cash, shape (holdout bars,),
            no NaN.
        walk_forward: The same on development bars, each by a model that had not seen it, shape
            (walk-forward bars,).
        periods_per_year: Bars per year, to annualise.
        holdout_market: Returns of buy and hold on the same bars as `holdout`, of its shape, beyond
            those of cash.
        walk_forward_market: The same for `walk_forward`.
        trials_ever: Number of distinct candidates ever scored on these bars, at least 1.
        holdout_looks: Number of models ever backtested on this holdout, at least 1.
        timing: p-value against random entries; 1 if there was nothing to time.
        seed: Seed of the resampling. Equal arguments give bit-identical results.
    """
    sharpe = metrics.sharpe(holdout)
    record = np.concatenate([walk_forward, holdout])
    record_sharpe = metrics.sharpe(record)
    if sharpe is None or record_sharpe is None or len(holdout) < MINIMUM_RETURNS:
        return Significance(_show_nothing(len(record), trials_ever, holdout_looks), ())
    year = math.sqrt(periods_per_year)
    block = _block_length(holdout)
    ratios, means = _resample(holdout, block, seed)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail]).tolist()
    luck = expected_best_sharpe(trials_ever, len(record))
    luck_of_looks = expected_best_sharpe(holdout_looks, len(holdout))
    record_alpha = measure_alpha(record, np.concatenate([walk_forward_market, holdout_market]))
    holdout_alpha = measure_alpha(holdout, holdout_market)
    figures = Statistics(
        sharpe=sharpe * year,
        sharpe_low=low * year,
        sharpe_high=high * year,
        p_value=adjust_for_looks(holdout_looks, superior_p_value(holdout, means, block)),
        probabilistic_sharpe=probabilistic_sharpe(0.0, sharpe, holdout),
        record_p_value=adjust_for_trials(trials_ever, sharpe_p_value(0.0, record_sharpe, record)),
        alpha=record_alpha.per_bar * periods_per_year,
        beta=record_alpha.beta,
        alpha_t_value=record_alpha.t_value,
        alpha_p_value=adjust_for_trials(trials_ever, record_alpha.p_value),
        holdout_alpha=holdout_alpha.per_bar * periods_per_year,
        holdout_alpha_p_value=adjust_for_looks(holdout_looks, holdout_alpha.p_value),
        confirmed_sharpe=probabilistic_sharpe(luck_of_looks, sharpe, holdout),
        deflated_sharpe=probabilistic_sharpe(luck, record_sharpe, record),
        expected_best_sharpe=luck * year,
        record_sharpe=record_sharpe * year,
        record_bars=len(record),
        record_skewness=_moment(record, 3),
        record_kurtosis=_moment(record, 4),
        variance_ratio=variance_ratio(record),
        periods_per_year=periods_per_year,
        trials_ever=trials_ever,
        holdout_looks=holdout_looks,
        timing_p_value=adjust_for_looks(holdout_looks, timing),
        minimum_track_record=minimum_track_record(sharpe, holdout),
    )
    return Significance(figures, tuple((ratios * year).tolist()))


def probabilistic_sharpe(benchmark: float, sharpe: float, returns: FloatArray) -> float:
    """Return the probabilistic Sharpe ratio: P(true Sharpe ratio > benchmark), both per bar.

    Phi((SR - SR*) sqrt(n - 1) / sqrt(r (1 - skew SR + (kurtosis - 1) / 4 SR^2))), with the ratio r
    of the long-run variance to that of independent returns. If the benchmark is the best expected
    by chance, this is the deflated Sharpe ratio. `returns` has shape (bars,).
    """
    variance = _sharpe_variance(sharpe, returns)
    return float(probabilistic_sharpe_ratio(sharpe, benchmark, variance=variance))


def sharpe_p_value(benchmark: float, sharpe: float, returns: FloatArray) -> float:
    """Return 1 minus the probabilistic Sharpe ratio, exact where that rounds to 1."""
    return float(norm.sf((sharpe - benchmark) / math.sqrt(_sharpe_variance(sharpe, returns))))


def expected_best_sharpe(trials: int, bars: int) -> float:
    """Return the expected maximum Sharpe ratio per bar of `trials` worthless candidates.

    sqrt(V) ((1 - gamma) Phi^-1(1 - 1/N) + gamma Phi^-1(1 - 1/(N e))), with Euler's gamma. The
    approximation starts at two candidates; a single one is expected at 0. V = 1 / bars is the
    variance of the estimate of a ratio of 0. The observed variance of the candidates is not used:
    it comes mostly from their costs and real earnings, so that a successful search would count
    against the next one.
    """
    return float(expected_maximum_sharpe_ratio(trials, 1.0 / bars)) if trials > 1 else 0.0


def adjust_for_trials(trials: int, p_value: float) -> float:
    """Return P(the least of so many independent p-values is this small or smaller).

    At most 0.05 exactly where `p_value` is at most 1 - 0.95^(1/N) (Sidak 1967). Candidates that
    resemble each other are fewer in effect, so this errs on the strict side.
    """
    return float(-np.expm1(trials * np.log1p(-p_value))) if p_value < 1.0 else 1.0


def adjust_for_looks(look: int, p_value: float) -> float:
    """Adjust the p-value of the n-th look, as if it were the least of n^2 independent ones.

    The least of n (Sidak 1967) would be enough to judge n looks together at the end. But every look
    is judged when it is made, and the limits would fall with 1/n. Their sum has no bound: a
    thousand looks would pass 7.5 times as often as one. Limits that fall with 1/n^2 add up to less
    than twice the limit of the first look, however many looks follow.
    """
    return adjust_for_trials(look**2, p_value)


def minimum_track_record(sharpe: float, returns: FloatArray) -> float | None:
    """Return the number of bars after which this Sharpe ratio would exceed 0 with 95 % certainty.

    1 + r (1 - skew SR + (kurtosis - 1) / 4 SR^2) (z / SR)^2, with r as above. None if the ratio is
    not positive. `sharpe` is per bar, `returns` has shape (bars,).
    """
    if sharpe <= 0.0:
        return None
    normal = minimum_track_record_length(sharpe, 0.0, alpha=1.0 - CONFIDENCE)
    length = 1.0 + _unit_variance(sharpe, returns) * variance_ratio(returns) * float(normal)
    return length if math.isfinite(length) else None


def _sharpe_variance(sharpe: float, returns: FloatArray) -> float:
    """Return the variance of the estimated Sharpe ratio, corrected for autocorrelation."""
    return _unit_variance(sharpe, returns) * variance_ratio(returns) / (len(returns) - 1)


def _unit_variance(sharpe: float, returns: FloatArray) -> float:
    """Return n times the variance of the estimated Sharpe ratio, taken at the estimate.

    jsharpe by default takes it at the null hypothesis, where skew and kurtosis have no effect. At
    the estimate, as published, fat tails and negative skew count against a strategy.
    """
    variance = sharpe_ratio_variance(
        sharpe, 1, gamma3=_moment(returns, 3), gamma4=_moment(returns, 4)
    )
    # The variance is 0 for some returns of two values, and below 0 by rounding only.
    return max(float(variance), 1e-12)


def _moment(returns: FloatArray, order: int) -> float:
    """Return a standardised moment of shape (bars,): order 3 is skewness, 4 is kurtosis."""
    standardised = (returns - np.mean(returns)) / np.std(returns)
    return float(np.mean(standardised**order))


def _block_length(returns: FloatArray) -> int:
    """Return the mean length of a block in bars that keeps the autocorrelation of the returns."""
    length = float(optimal_block_length(returns)["stationary"].iloc[0])
    return min(max(math.ceil(length), 1), len(returns) // 2) if math.isfinite(length) else 1


def _resample(returns: FloatArray, block: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return Sharpe ratios and means of resamples, both of shape (`REPETITIONS`,).

    A resample without variance has a ratio of 0.
    """
    bootstrap = StationaryBootstrap(block, returns, seed=seed).bootstrap(REPETITIONS)
    samples = (sample for (sample,), _ in bootstrap)
    ratios, means = [], []
    while some := list(islice(samples, max(1, _VALUES_AT_ONCE // len(returns)))):
        table = np.stack(some)
        mean, deviation = np.mean(table, axis=1), np.std(table, axis=1, ddof=1)
        varied = deviation > metrics.NO_VARIANCE
        ratios.append(np.divide(mean, deviation, out=np.zeros_like(mean), where=varied))
        means.append(mean)
    return np.concatenate(ratios), np.concatenate(means)


def _show_nothing(record_bars: int, trials_ever: int, holdout_looks: int) -> Statistics:
    return Statistics(
        sharpe=0.0,
        sharpe_low=0.0,
        sharpe_high=0.0,
        p_value=1.0,
        probabilistic_sharpe=0.0,
        confirmed_sharpe=0.0,
        deflated_sharpe=0.0,
        expected_best_sharpe=0.0,
        record_sharpe=0.0,
        record_p_value=1.0,
        alpha_p_value=1.0,
        holdout_alpha_p_value=1.0,
        record_bars=record_bars,
        trials_ever=trials_ever,
        holdout_looks=holdout_looks,
        timing_p_value=1.0,
        minimum_track_record=None,
    )
