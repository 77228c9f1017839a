"""Returns from open to open: what is held is worth what it can be sold for.

A strategy trades at opens. Valued at closes, its returns would depend on prices at which nobody
trades; where closes are smoothed, each would promise a part of the next.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quant.backtest.metrics import to_returns
from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs


@dataclass(frozen=True, eq=False)
class OpenReturns:
    """Each bar but the last, from its open to the next one. All arrays have shape (bars - 1,).

    Attributes:
        strategy: Simple returns after 1x cost; 0 for the first bar.
        market: Simple returns of buy and hold; 0 for the first bar.
        weights: Weight that was decided at the close before; 0 for the first bar.
    """

    strategy: Floats
    market: Floats
    weights: Floats


def measure_open_returns(
    bars: Bars, targets: Floats | NDArray[np.int8], costs: Costs
) -> OpenReturns:
    """Trade target positions, and value them at the next open.

    Args:
        bars: Prices to trade at, two bars at least.
        targets: Weight decided at each close, shape (bars,).
        costs: Assumed costs and rates of interest.
    """
    valued = replace(bars, close=np.append(bars.open[1:], bars.close[-1]))
    # An account is closed at its last bar, which nobody asks for here.
    return OpenReturns(
        strategy=simulate(valued, targets, costs).returns[:-1],
        market=to_returns(valued.close)[:-1],
        weights=np.append(0.0, np.asarray(targets, np.float64)[:-2]),
    )
