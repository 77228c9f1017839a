"""Random entries: a strategy against itself at other times.

Its positions are shifted circularly by a random number of bars. Exposure, direction, the number of
trades and their durations stay the same; only the timing is lost. A strategy that earns by holding
a rising market does no better than its shifts.
"""

from typing import Final

import numpy as np
from scipy.stats import norm

from quant.backtest import metrics
from quant.bars.bars import Bars, Floats
from quant.messages.evidence import RandomEntries
from quant.messages.strategy import Costs

PATHS: Final = 500
_HIGH: Final = 0.95


def compare_random_entries(
    bars: Bars, positions: Floats, costs: Costs, seed: int
) -> RandomEntries | None:
    """Compare positions with the same positions at random times.

    Args:
        bars: Prices to trade at.
        positions: Weight held at each close, such as -1, 0 or 1; shape (bars,).
        costs: Assumed costs per side.
        seed: Seed of the shifts. Equal arguments give bit-identical results.

    Returns:
        None if there was never a position, or always the same one.
    """
    if len(bars) < 2 or np.all(positions == positions[0]):
        return None
    moves = _measure_moves(bars)

    def sharpe(held: Floats) -> float:
        return metrics.sharpe(_earn(moves, held, costs)) or 0.0

    own = sharpe(positions)
    shifts = np.random.default_rng(seed).integers(1, len(bars), PATHS)
    random = np.array([sharpe(np.roll(positions, shift)) for shift in shifts])
    year = np.sqrt(bars.periods_per_year)
    # A share of paths cannot be below 1 / `PATHS`, but many looks at a holdout need smaller values.
    spread = float(np.std(random))
    beyond = (own - float(np.mean(random))) / spread if spread > 0.0 else 0.0
    return RandomEntries(
        paths=PATHS,
        as_good=float(np.mean(random >= own)),
        median_sharpe=float(np.median(random) * year),
        high_sharpe=float(np.quantile(random, _HIGH) * year),
        p_value=float(norm.sf(beyond)),
    )


def compute_position_returns(bars: Bars, positions: Floats, costs: Costs) -> Floats:
    """Return simple returns, shape (bars,), of positions that change at the open.

    They approximate the product of the two parts of a bar by their sum. The error is less than a
    thousandth of the return. Use them to compare positions, not for accounts.
    """
    return _earn(_measure_moves(bars), positions, costs)


def _measure_moves(bars: Bars) -> tuple[Floats, Floats]:
    """Return two returns, each of shape (bars,): close before to open, and open to close."""
    overnight = np.concatenate([[0.0], bars.open[1:] / bars.close[:-1] - 1.0])
    return overnight, bars.close / bars.open - 1.0


def _earn(moves: tuple[Floats, Floats], positions: Floats, costs: Costs) -> Floats:
    overnight, intraday = moves
    before = np.concatenate([[0.0], positions[:-1]])
    paid = np.abs(positions - before) * (costs.commission + costs.slippage)
    returns: Floats = before * overnight + positions * intraday - paid
    return returns
