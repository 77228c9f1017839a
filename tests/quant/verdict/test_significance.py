"""Significance figures against the published formulas, and their behaviour at the edges."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq

from quant.backtest import metrics
from quant.messages.evidence import Statistics
from quant.verdict.bootstrap import StationaryBootstrap, optimal_block_length
from quant.verdict.long_run import variance_ratio
from quant.verdict.significance import (
    REPETITIONS,
    Significance,
    adjust_for_looks,
    adjust_for_trials,
    measure_significance,
)

YEAR = 252.0
EULER_GAMMA = 0.5772156649015329
PHI = NormalDist()


def noise(seed: int, mean: float = 0.0, count: int = 1000) -> NDArray[np.float64]:
    """Return fat-tailed returns whose sample mean is exactly `mean`."""
    returns = 0.006 * np.random.default_rng(seed).standard_t(5, count)
    return np.asarray(returns - returns.mean() + mean)


NONE = np.empty(0)


def measure(
    returns: NDArray[np.float64],
    *,
    before: NDArray[np.float64] = NONE,
    trials: int = 1,
    looks: int = 1,
    seed: int = 7,
) -> Significance:
    """Measure the significance of a holdout that follows a walk-forward."""
    return measure_significance(
        returns,
        before,
        YEAR,
        holdout_market=np.zeros_like(returns),
        walk_forward_market=np.zeros_like(before),
        trials_ever=trials,
        holdout_looks=looks,
        timing=0.01,
        seed=seed,
    )


def judge(returns: NDArray[np.float64], **options: Any) -> Statistics:
    """Return the figures of what `measure` measures."""
    return measure(returns, **options).figures


def published_psr(returns: NDArray[np.float64], benchmark: float) -> float:
    """Bailey and López de Prado (2012), equation 11, written out, with Lo's correction."""
    ratio = returns.mean() / returns.std(ddof=1)
    deviations = returns - returns.mean()
    skew = (deviations**3).mean() / returns.std() ** 3
    kurtosis = (deviations**4).mean() / returns.std() ** 4
    spread = math.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    spread *= math.sqrt(variance_ratio(returns))
    return PHI.cdf((ratio - benchmark) * math.sqrt(len(returns) - 1) / spread)


def published_luck(trials: int, variance: float) -> float:
    """Bailey and López de Prado (2014), equation 1, written out."""
    return math.sqrt(variance) * (
        (1 - EULER_GAMMA) * PHI.inv_cdf(1 - 1 / trials)
        + EULER_GAMMA * PHI.inv_cdf(1 - 1 / (trials * math.e))
    )


def test_sharpe_and_its_interval_are_annualised() -> None:
    returns = noise(1, mean=0.0005)

    result = judge(returns)

    assert result.sharpe == metrics.annualised_sharpe(returns, YEAR)
    # Lo (2002): the standard error of a small ratio is about 1 / sqrt(bars).
    error = math.sqrt(YEAR / len(returns))
    assert result.sharpe_low == pytest.approx(result.sharpe - 1.96 * error, abs=0.2)
    assert result.sharpe_high == pytest.approx(result.sharpe + 1.96 * error, abs=0.2)


def test_probabilistic_sharpe_is_the_published_formula() -> None:
    returns = noise(2, mean=0.0004)

    assert judge(returns).probabilistic_sharpe == pytest.approx(published_psr(returns, 0.0))


@pytest.mark.parametrize("trials", [2, 12, 5000])
def test_trials_deflate_the_record_by_the_published_formula(trials: int) -> None:
    before, returns = noise(8, mean=0.0004, count=2600), noise(3, mean=0.0006)
    record = np.concatenate([before, returns])
    luck = published_luck(trials, 1 / len(record))

    result = judge(returns, before=before, trials=trials)

    assert result.expected_best_sharpe == pytest.approx(luck * math.sqrt(YEAR))
    assert result.deflated_sharpe == pytest.approx(published_psr(record, luck))
    assert result.record_sharpe == metrics.annualised_sharpe(record, YEAR)
    assert (result.trials_ever, result.record_bars) == (trials, 3600)
    assert result.confirmed_sharpe == pytest.approx(published_psr(returns, 0.0))


@pytest.mark.parametrize("looks", [2, 9, 1000])
def test_looks_deflate_the_holdout_by_the_published_formula(looks: int) -> None:
    before, returns = noise(8, mean=0.0004, count=2600), noise(3, mean=0.0006)
    once = judge(returns, before=before)

    result = judge(returns, before=before, looks=looks)

    luck = published_luck(looks, 1 / len(returns))
    assert result.confirmed_sharpe == pytest.approx(published_psr(returns, luck))
    assert result.p_value == pytest.approx(1 - (1 - once.p_value) ** looks**2)
    assert result.deflated_sharpe == once.deflated_sharpe
    assert result.holdout_looks == looks
    assert result.timing_p_value == pytest.approx(1 - 0.99 ** (looks**2))


@pytest.mark.parametrize("trials", [1, 12, 5000])
def test_a_level_of_five_per_cent_is_one(trials: int) -> None:
    limit = 1.0 - 0.95 ** (1.0 / trials)
    assert adjust_for_trials(trials, limit) == pytest.approx(0.05)
    before, returns = noise(8, mean=0.0004, count=2600), noise(3, mean=0.0006)
    result = judge(returns, before=before, trials=trials)
    record = np.concatenate([before, returns])
    p_value = 1.0 - published_psr(record, 0.0)
    assert result.record_p_value == pytest.approx(1.0 - (1.0 - p_value) ** trials)
    # The market stands still, so all that is earned is alpha.
    assert result.alpha == pytest.approx(record.mean() * YEAR)
    assert result.alpha_t_value is not None and result.alpha_p_value is not None
    single = 1.0 - PHI.cdf(result.alpha_t_value)
    assert result.alpha_p_value == pytest.approx(1.0 - (1.0 - single) ** trials)


@pytest.mark.parametrize(("p_value", "expected"), [(0.0, 0.0), (1.0, 1.0), (1e-12, 1e-6)])
def test_many_looks_at_extreme_p_values(p_value: float, expected: float) -> None:
    assert adjust_for_looks(1000, p_value) == pytest.approx(expected)


def test_all_looks_together_pass_less_than_twice_as_often_as_the_first() -> None:
    limit = 0.05

    def passes(look: int) -> float:
        return float(brentq(lambda p: adjust_for_looks(look, p) - limit, 0.0, limit))

    assert passes(1) == pytest.approx(limit)
    assert sum(passes(look) for look in range(1, 2_000)) < 2 * limit


def test_a_single_candidate_is_not_deflated() -> None:
    result = judge(noise(3, mean=0.0006))

    assert result.expected_best_sharpe == 0.0
    assert result.deflated_sharpe == result.confirmed_sharpe == result.probabilistic_sharpe


def test_the_interval_is_that_of_the_resampled_ratios() -> None:
    returns = noise(1, mean=0.0005)

    judged = measure(returns)

    low, high = np.quantile(judged.resampled, [0.025, 0.975])
    assert len(judged.resampled) == REPETITIONS
    assert judged.figures.sharpe_low == pytest.approx(low)
    assert judged.figures.sharpe_high == pytest.approx(high)


def test_many_resamples_at_once_have_the_ratios_of_each_alone() -> None:
    returns = noise(2, mean=0.0005)
    block = math.ceil(float(optimal_block_length(returns)["stationary"].iloc[0]))
    each = StationaryBootstrap(block, returns, seed=7).bootstrap(REPETITIONS)

    judged = measure(returns)

    alone = [metrics.annualised_sharpe(np.asarray(sample), YEAR) for (sample,), _ in each]
    assert list(judged.resampled) == alone


def test_more_trials_deflate_more() -> None:
    returns = noise(3, mean=0.0006)

    values = [judge(returns, trials=trials).deflated_sharpe for trials in (1, 10, 100, 1000)]

    assert values == sorted(values, reverse=True)


def test_minimum_track_record_is_where_the_probabilistic_sharpe_reaches_95_percent() -> None:
    returns = noise(4, mean=0.0004)
    needed = judge(returns).minimum_track_record
    assert needed is not None

    # In the formula of the probability only the number of returns differs.
    score = PHI.inv_cdf(published_psr(returns, 0.0))
    at_needed = score * math.sqrt((needed - 1) / (len(returns) - 1))
    assert PHI.cdf(at_needed) == pytest.approx(0.95)


def test_no_track_record_shows_a_ratio_that_is_not_positive() -> None:
    assert judge(noise(4, mean=-0.0004)).minimum_track_record is None


def test_noise_is_not_significant() -> None:
    for seed in range(5):
        result = judge(noise(seed), trials=12)
        assert result.p_value > 0.2
        assert result.deflated_sharpe < 0.2
        assert result.sharpe_low < 0.0 < result.sharpe_high


def test_a_planted_signal_is_significant() -> None:
    result = judge(noise(5, mean=0.0015), trials=100)

    assert result.p_value < 0.01
    assert result.deflated_sharpe > 0.99
    assert result.sharpe_low > 0.0


def test_a_planted_loss_is_not_taken_for_skill() -> None:
    assert judge(noise(5, mean=-0.0015)).p_value > 0.3


def test_equal_seeds_give_equal_bits() -> None:
    assert judge(noise(6), seed=1) == judge(noise(6), seed=1)
    assert judge(noise(6), seed=1).sharpe_low != judge(noise(6), seed=2).sharpe_low


@pytest.mark.parametrize(
    "returns",
    [
        pytest.param([], id="no returns"),
        pytest.param([0.01, -0.01, 0.02], id="few returns"),
        pytest.param([0.0] * 500, id="never traded"),
        pytest.param([0.001] * 500, id="constant"),
    ],
)
def test_returns_without_information_show_nothing(returns: list[float]) -> None:
    result = judge(np.array(returns), trials=12)

    assert result == Statistics(
        sharpe=0.0,
        sharpe_low=0.0,
        sharpe_high=0.0,
        p_value=1.0,
        probabilistic_sharpe=0.0,
        confirmed_sharpe=0.0,
        deflated_sharpe=0.0,
        expected_best_sharpe=0.0,
        record_sharpe=0.0,
        record_bars=len(returns),
        trials_ever=12,
        holdout_looks=1,
        timing_p_value=1.0,
        record_p_value=1.0,
        alpha_p_value=1.0,
        holdout_alpha_p_value=1.0,
        minimum_track_record=None,
    )


@pytest.mark.parametrize(
    "returns",
    [
        pytest.param([0.0] * 499 + [0.01], id="one gain"),
        pytest.param([0.0] * 499 + [-1.5], id="ruin"),
        pytest.param([0.0, 0.01] * 30, id="two values"),
        pytest.param([0.01, -0.01] * 30, id="alternating"),
        pytest.param(np.linspace(-0.01, 0.01, 60).tolist(), id="trend"),
    ],
)
def test_odd_returns_give_finite_figures(returns: list[float]) -> None:
    # The model refuses NaN and infinity. The test is that it can be built.
    result = judge(np.array(returns), trials=12)

    assert 0.0 <= result.p_value <= 1.0
    assert 0.0 <= result.deflated_sharpe <= result.probabilistic_sharpe <= 1.0
    assert result.sharpe_low <= result.sharpe_high
