"""Returns from open to open: what is held is worth what it can be sold for.

A strategy trades at opens. Valued at closes, its returns would depend on prices at which nobody
trades; where closes are smoothed, each would promise a part of the next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs
from quant.universe.shares import share_equally
from quant.universe.universe import Universe


@dataclass(frozen=True, eq=False)
class OpenReturns:
    """Each traded bar but the last, from its open to the next one. Shape (traded bars - 1,) each.

    Attributes:
        strategy: Simple returns of the account after 1x cost; 0 for the first bar.
        market: Simple returns of all instruments in equal parts; 0 for the first bar.
        weights: Weights that were decided before, long less short; 0 for the first bar.
    """

    strategy: Floats
    market: Floats
    weights: Floats


def measure_open_returns(
    bars: Universe | Bars, targets: Floats | NDArray[np.int8], costs: Costs
) -> OpenReturns:
    """Trade target weights, and value what is held at the next opens.

    An instrument without a bar at the next time keeps its worth: its move counts at its next open.

    Args:
        bars: Until the last that is traded. Those before say which instruments are active.
        targets: Weights decided at each close of the last bars, two at least; shape (traded bars,
            instruments), or (traded bars,) for one instrument. NaN where nothing is decided.
        costs: Assumed costs and rates of interest.
    """
    universe = Universe.of(bars)
    start = len(universe) - len(targets)
    traded = universe.slice(start, len(universe))
    values = _value_at_next_opens(traded.opens)
    run = simulate(traded, targets, costs, values=values)
    shares = share_equally(universe.exists)[start:]
    market = simulate(traded, shares, Costs(), cost_multiple=0.0, values=values)
    # An account is closed at its last bar, which nobody asks for here.
    return OpenReturns(
        strategy=run.returns[:-1],
        market=market.returns[:-1],
        weights=run.positions.sum(axis=1)[:-1],
    )


def _value_at_next_opens(opens: Floats) -> Floats:
    """Return the open that follows each close, shape (bars, instruments) as `opens`.

    Where there is none, the one before stays. Before the first, nothing can be held.
    """
    following = np.concatenate([opens[1:], np.full_like(opens[:1], np.nan)])
    row = np.where(np.isnan(following), 0, np.arange(len(opens))[:, np.newaxis])
    known = np.take_along_axis(following, np.maximum.accumulate(row, axis=0), axis=0)
    values: Floats = np.nan_to_num(known, nan=1.0)
    return values
