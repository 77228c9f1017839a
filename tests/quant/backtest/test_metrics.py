"""Performance figures against values worked out by hand."""

import math

import numpy as np
import pytest

from quant.backtest import metrics


def test_sharpe_is_mean_over_sample_deviation() -> None:
    returns = np.array([0.01, 0.03, -0.01, 0.01])

    # Mean 0.01; squared deviations 0, 4e-4, 4e-4, 0; variance 8e-4 / 3.
    assert metrics.sharpe(returns) == pytest.approx(0.01 / math.sqrt(8e-4 / 3))
    assert metrics.annualised_sharpe(returns, 252.0) == pytest.approx(
        0.01 / math.sqrt(8e-4 / 3) * math.sqrt(252)
    )


@pytest.mark.parametrize("returns", [[], [0.01], [0.0, 0.0, 0.0], [0.1, 0.1, 0.1]])
def test_sharpe_without_variance_is_none(returns: list[float]) -> None:
    assert metrics.sharpe(np.array(returns)) is None
    assert metrics.annualised_sharpe(np.array(returns), 252.0) is None


def test_drawdown_is_measured_from_the_highest_point_so_far() -> None:
    equity = np.array([1.0, 1.25, 1.0, 1.5, 0.75, 1.2])

    np.testing.assert_allclose(metrics.drawdown(equity), [0.0, 0.0, 0.2, 0.0, 0.5, 0.2])
    assert metrics.max_drawdown(equity) == pytest.approx(0.5)


@pytest.mark.parametrize("equity", [[], [1.0], [1.0, 1.1, 1.2]])
def test_a_curve_that_never_falls_has_no_drawdown(equity: list[float]) -> None:
    assert metrics.max_drawdown(np.array(equity)) == 0.0


def test_returns_are_compounded_per_year() -> None:
    equity = np.array([1.0, 1.1, 1.21])

    assert metrics.total_return(equity) == pytest.approx(0.21)
    assert metrics.annual_return(equity, 2.0) == pytest.approx(0.21)
    assert metrics.annual_return(equity, 4.0) == pytest.approx(1.21**2 - 1.0)


@pytest.mark.parametrize("last", [1.0001, 2.0, 1e-9, 1e99])
@pytest.mark.parametrize("periods_per_year", [1.0, 252.0, 525_960.0, 3e16])
def test_a_return_per_year_is_finite_or_not_meaningful(
    last: float, periods_per_year: float
) -> None:
    growth = metrics.annual_return(np.array([1.0, (1.0 + last) / 2.0, last]), periods_per_year)
    if math.log(last) * periods_per_year / 2.0 > math.log(metrics.MOST_GROWTH):
        assert growth is None
    else:
        assert growth is not None
        assert -1.0 <= growth < metrics.MOST_GROWTH


def test_an_account_that_lost_everything_returned_minus_one_per_year() -> None:
    assert metrics.annual_return(np.array([1.0, -0.2]), 252.0) == -1.0


def test_volatility_is_annualised_by_the_square_root() -> None:
    assert metrics.annual_volatility(np.array([0.01, -0.01]), 100.0) == pytest.approx(
        math.sqrt(2) * 0.01 * 10.0
    )


def test_exposure_counts_long_and_short() -> None:
    assert metrics.exposure(np.array([0.0, 1.0, -0.5, 0.0])) == 0.5


def test_turnover_is_traded_notional_over_average_equity_per_year() -> None:
    equity = np.array([1.0, 2.0, 3.0])

    assert metrics.turnover(8.0, equity, periods_per_year=10.0) == pytest.approx(8.0 / 2.0 * 5.0)


def test_turnover_without_capital_is_zero() -> None:
    assert metrics.turnover(8.0, np.array([1.0, -3.0]), periods_per_year=10.0) == 0.0


def test_win_rate() -> None:
    assert metrics.win_rate([0.1, -0.1, 0.0, 0.2]) == 0.5
    assert metrics.win_rate([]) is None


def test_figures_of_nothing_are_zero() -> None:
    nothing = np.array([])

    assert metrics.total_return(nothing) == 0.0
    assert metrics.annual_return(nothing, 252.0) == 0.0
    assert metrics.annual_volatility(nothing, 252.0) == 0.0
    assert metrics.exposure(nothing) == 0.0
    assert metrics.turnover(0.0, nothing, 252.0) == 0.0
