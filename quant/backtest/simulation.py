"""Simulates an account on the bars of one or more instruments, and adds interest.

Interest is added to the returns of an account that trades without it, bar by bar:

* What is not invested earns `cash_rate`. The proceeds of a short sale are collateral and earn
  nothing.
* What is sold short, and money that is invested beyond the account's worth, costs `borrow_rate`.
* A bar earns the annual rate over the bars per year, on the weights in force at its close.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quant.backtest.account import Account, follow_targets
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs
from quant.universe.shares import share_equally
from quant.universe.universe import Universe


def simulate(
    bars: Universe | Bars,
    targets: Floats | NDArray[np.int8],
    costs: Costs,
    cost_multiple: float = 1.0,
    values: Floats | None = None,
) -> Account:
    """Trade target weights.

    Args:
        bars: Prices to trade at.
        targets: Weight decided at each close, such as -1, 0 or 1; shape (bars, instruments), or
            (bars,) for one instrument. NaN where nothing is decided.
        costs: Assumed costs and rates of interest.
        cost_multiple: Factor on commission and slippage; 0 for a simulation without them.
        values: What a unit is worth at each close, shape (bars, instruments); by default its price.

    Raises:
        ValueError: There is not exactly one target per bar, or no bar.
        InconsistentAccount: The figures contradict each other.
    """
    traded = Universe.of(bars)
    weights = np.asarray(targets, np.float64)
    if weights.ndim == 1:
        weights = weights[:, np.newaxis]
    run = follow_targets(traded.opens, traded.closes, weights, costs.times(cost_multiple), values)
    if not (costs.cash_rate or costs.borrow_rate):
        return run
    return _add_interest(run, costs, traded.periods_per_year)


def buy_and_hold(bars: Universe | Bars) -> Account:
    """Hold all instruments in equal parts, without cost, from the first open that can be bought.

    What is held is not touched until an instrument joins or leaves.
    """
    traded = Universe.of(bars)
    return simulate(traded, share_equally(traded.exists), Costs(), cost_multiple=0.0)


def _add_interest(run: Account, costs: Costs, periods_per_year: float) -> Account:
    """Return the account with interest; one that is worth nothing earns none."""
    long = np.maximum(run.positions, 0.0).sum(axis=1)
    short = np.maximum(-run.positions, 0.0).sum(axis=1)
    cash, borrowed = np.maximum(1.0 - long, 0.0), short + np.maximum(long - 1.0, 0.0)
    earned = (costs.cash_rate * cash - costs.borrow_rate * borrowed) / periods_per_year
    earned[0] = 0.0
    before = np.concatenate([[1.0], run.equity[:-1]])
    returns = run.returns + np.where(before > 0.0, earned, 0.0)
    equity = np.asarray(np.cumprod(1.0 + returns), np.float64)
    return replace(
        run,
        equity=equity,
        returns=returns,
        cash_return=costs.cash_rate / periods_per_year,
    )
