"""Gives positions up: after a loss, after a gain, or after some time.

All three are seen at a close and filled at the next open, as every decision is. A price within a
bar stops nothing.
"""

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Bars, Floats
from quant.messages.strategy import StrategySpec


def give_up(position: NDArray[np.int8], bars: Bars, spec: StrategySpec) -> NDArray[np.int8]:
    """Replace positions by 0 from the close at which one is given up.

    It stays 0 until the strategy decides another position: a signal in the other direction, or none
    and then one again. A gain or loss is that of the close over the open at which the position was
    filled, without costs.

    Args:
        position: Decided at each close, -1, 0 or 1, shape (bars,).
        bars: The bars of the instrument.
        spec: Gives stop loss, take profit and longest holding.

    Returns:
        Shape (bars,). Element t depends on bars up to t only.
    """
    if spec.stop_loss is None and spec.take_profit is None and spec.max_holding is None:
        return position
    bar = np.arange(len(position))
    begins = np.diff(position, prepend=0) != 0
    begun = np.maximum.accumulate(np.where(begins, bar, 0))
    # At the close of the decision nothing is filled yet.
    filled = bar > begun
    entry = bars.open[np.minimum(begun + 1, len(bars) - 1)]
    gain: Floats = position * (bars.close / entry - 1.0)
    over = np.zeros(len(position), np.bool_)
    if spec.stop_loss is not None:
        over |= gain <= -spec.stop_loss
    if spec.take_profit is not None:
        over |= gain >= spec.take_profit
    if spec.max_holding is not None:
        over |= bar - begun >= spec.max_holding
    over &= filled & (position != 0)
    latest = np.maximum.accumulate(np.where(over, bar, -1))
    return np.where(latest > begun, 0, position).astype(np.int8)
