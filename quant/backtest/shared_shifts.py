"""The Sharpe ratios of positions in several instruments at other times, all shifted together."""

from typing import Final

import numpy as np

from quant.bars.bars import Floats
from quant.messages.strategy import Costs
from quant.universe.universe import Universe

# A product of positions and moves, for all pairs of times. Larger ones are cut into parts.
_LARGEST_PRODUCT: Final = 4_000_000
# Shifts beyond that many say no more. They are taken at equal distances.
_MOST_SHIFTS: Final = 2_000


def compute_shared_sharpes(
    traded: Universe, positions: Floats, costs: Costs, look_back: int
) -> Floats:
    """Return the Sharpe ratios per bar of circular shifts.

    The same approximation as for one instrument: a bar earns its position times the move from open
    to close, plus the one before times the move from the last close to the open, less the cost of
    the difference. An instrument without a bar moves nothing.

    Args:
        traded: The bars.
        positions: Weight held at each close, shape (bars, instruments).
        costs: Assumed costs per side.
        look_back: Shifts of at most so many bars, in both directions, are left out.

    Returns:
        Shape (1 + shifts,): first that of the positions where they are; 0 without variance.
    """
    overnight, intraday = _measure_moves(traded)
    before = np.roll(positions, 1, axis=0)
    paid = np.abs(positions - before).sum(axis=1) * costs.per_side
    shifts = np.arange(look_back + 1, len(positions) - look_back)
    if len(shifts) > _MOST_SHIFTS:
        shifts = shifts[np.linspace(0, len(shifts) - 1, _MOST_SHIFTS).round().astype(np.int64)]
    shifts = np.concatenate([[0], shifts])
    total, squares = np.zeros(len(shifts)), np.zeros(len(shifts))
    count = len(positions)
    step = max(1, _LARGEST_PRODUCT // count)
    for first in range(0, count, step):
        bars = np.arange(first, min(first + step, count))
        # Row t of the product: what the positions of every time would earn at bar t.
        earned = overnight[bars] @ before.T + intraday[bars] @ positions.T - paid
        held = (bars[:, np.newaxis] - shifts) % count
        returns = np.take_along_axis(earned, held, axis=1)
        total += returns.sum(axis=0)
        squares += (returns**2).sum(axis=0)
    mean = total / count
    variance = (squares - count * mean**2) / (count - 1)
    ratios = np.zeros(len(shifts))
    varies = variance > 1e-12 * np.maximum(squares / count, np.finfo(np.float64).tiny)
    np.divide(
        mean, np.sqrt(variance, where=varies, out=np.ones_like(variance)), ratios, where=varies
    )
    return ratios


def _measure_moves(traded: Universe) -> tuple[Floats, Floats]:
    """Return two returns of shape (bars, instruments): last close to open, and open to close.

    0 where there is no bar.
    """
    overnight = np.zeros(traded.opens.shape)
    for number, (place, bars) in enumerate(zip(traded.places, traded.instruments, strict=True)):
        if len(place):
            overnight[place[1:], number] = bars.open[1:] / bars.close[:-1] - 1.0
    intraday = np.nan_to_num(traded.closes / traded.opens - 1.0)
    return overnight, intraday
