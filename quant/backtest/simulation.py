"""Simulates an account on the bars of one symbol."""

import numpy as np
from numpy.typing import NDArray

from quant.backtest.account import Account, follow_targets
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs


def simulate(
    bars: Bars, targets: Floats | NDArray[np.int8], costs: Costs, cost_multiple: float = 1.0
) -> Account:
    """Trade target positions.

    Args:
        bars: Prices to trade at.
        targets: Weight decided at each close, such as -1, 0 or 1; shape (bars,).
        costs: Assumed costs per side.
        cost_multiple: Factor on these costs; 0 for a simulation without costs.

    Raises:
        ValueError: There is not exactly one target per bar, or no bar.
        InconsistentAccount: The figures contradict each other.
    """
    opens, closes = bars.open[:, np.newaxis], bars.close[:, np.newaxis]
    weights = np.asarray(targets, np.float64)[:, np.newaxis]
    return follow_targets(opens, closes, weights, costs.times(cost_multiple))


def buy_and_hold(bars: Bars) -> Account:
    """Buy at the first open at which a strategy can buy, and hold, without cost."""
    return simulate(bars, np.ones(len(bars)), Costs(), cost_multiple=0.0)
