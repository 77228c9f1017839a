"""Interest on cash and on what is borrowed."""

import numpy as np
import pytest

from quant.backtest.simulation import simulate
from quant.messages.strategy import Costs
from tests.support.quant.prices import make_bars

BARS = make_bars(np.linspace(100.0, 130.0, 400))
YEAR = BARS.periods_per_year
FREE = {"commission": 0.0, "slippage": 0.0}


def test_an_account_that_never_trades_earns_the_cash_rate_and_no_excess() -> None:
    run = simulate(BARS, np.zeros(len(BARS)), Costs(cash_rate=0.03))

    assert run.returns[1:] == pytest.approx(np.full(len(BARS) - 1, 0.03 / YEAR))
    assert run.equity[-1] == pytest.approx((1.0 + 0.03 / YEAR) ** (len(BARS) - 1))
    assert run.excess_returns == pytest.approx(np.zeros(len(BARS)))


@pytest.mark.parametrize(
    ("weight", "cash", "borrowed"),
    [(1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (-1.0, 1.0, 1.0), (-0.5, 1.0, 0.5), (1.5, 0.0, 0.5)],
)
def test_each_weight_earns_and_pays_its_share(weight: float, cash: float, borrowed: float) -> None:
    targets = np.full(len(BARS), weight)
    plain = simulate(BARS, targets, Costs(**FREE))
    run = simulate(BARS, targets, Costs(cash_rate=0.02, borrow_rate=0.05, **FREE))

    # All bars but the first, before the entry, and the last, at whose open all is sold.
    carried = (run.returns - plain.returns)[1:-1]
    assert carried == pytest.approx(np.full(len(carried), (0.02 * cash - 0.05 * borrowed) / YEAR))


def test_without_rates_nothing_changes() -> None:
    targets = np.tile([1.0, -1.0, 0.0, 0.0], 100)
    plain = simulate(BARS, targets, Costs())
    assert plain.excess_returns is plain.returns
    assert plain.equity[-1] - 1.0 == pytest.approx(plain.trades.profit.sum())


def test_trading_costs_are_multiplied_and_rates_are_not() -> None:
    doubled = Costs(cash_rate=0.02, borrow_rate=0.05).times(2.0)
    assert (doubled.commission, doubled.slippage) == (0.001, 0.001)
    assert (doubled.cash_rate, doubled.borrow_rate) == (0.02, 0.05)
