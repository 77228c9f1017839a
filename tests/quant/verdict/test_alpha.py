"""Alpha over buy and hold, and the long-run variance that its error rests on."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from quant.verdict.alpha import measure_alpha
from quant.verdict.long_run import long_run_variance, variance_ratio

Array = NDArray[np.float64]


def correlated(rng: np.random.Generator, rho: float, count: int) -> Array:
    """Return an autoregressive series of the first order."""
    return np.asarray(lfilter([1.0], [1.0, -rho], rng.normal(size=count + 50))[50:])


def test_a_share_of_the_market_has_no_alpha() -> None:
    market = np.random.default_rng(1).normal(0.001, 0.01, 2000)

    for share in (0.0, 0.4, 1.0, -1.0):
        found = measure_alpha(share * market, market)
        assert found.per_bar == pytest.approx(0.0, abs=1e-12)
        assert found.beta == pytest.approx(share)
        assert (found.t_value, found.p_value) == (0.0, 0.5)


def test_what_is_earned_beyond_the_market_is_alpha() -> None:
    rng = np.random.default_rng(2)
    market, own = rng.normal(0.001, 0.01, 4000), rng.normal(0.0005, 0.005, 4000)

    found = measure_alpha(0.5 * market + own, market)

    assert found.beta == pytest.approx(0.5, abs=0.02)
    assert found.per_bar == pytest.approx(np.mean(own), abs=3e-5)
    # Independent residuals: the standard error is that of a mean.
    assert found.t_value == pytest.approx(np.mean(own) / np.std(own) * np.sqrt(4000), rel=0.1)


def test_an_unmoving_market_explains_nothing() -> None:
    own = np.random.default_rng(3).normal(0.001, 0.01, 500)
    found = measure_alpha(own, np.zeros(500))
    assert found.beta == 0.0
    assert found.per_bar == pytest.approx(np.mean(own))
    assert found.t_value > 0.0


def test_random_positions_in_a_rising_market_have_the_size_of_the_test() -> None:
    rng, called = np.random.default_rng(4), 0
    for _ in range(400):
        market = rng.normal(0.001, 0.01, 1000)
        held = np.repeat(rng.integers(0, 2, 100), 10)
        called += measure_alpha(held * market, market).p_value <= 0.05
    assert 8 <= called <= 36


@pytest.mark.parametrize(("rho", "ratio"), [(0.0, 1.0), (0.2, 1.5), (0.4, 7 / 3)])
def test_autocorrelation_widens_the_error(rho: float, ratio: float) -> None:
    rng = np.random.default_rng(5)
    found = [variance_ratio(correlated(rng, rho, 4000)) for _ in range(20)]
    assert np.mean(found) == pytest.approx(ratio, rel=0.08)


def test_negative_autocorrelation_is_no_credit() -> None:
    bounce = correlated(np.random.default_rng(6), -0.4, 4000)
    assert long_run_variance(bounce) < 0.8 * np.var(bounce)
    assert variance_ratio(bounce) == 1.0
