"""Random entries: a strategy against itself at other times.

Its positions are shifted circularly. Exposure, direction, the number of trades and their durations
stay the same; only the timing is lost. A strategy that earns by holding a rising market does no
better than its shifts.

A shift shorter than what a decision looks back on is no random entry: its positions were decided
with prices of the very bars that they trade. Such shifts are left out, in both directions. All
others are used. Fourier transforms sum up the returns of all shifts at once, so nothing is drawn.

The positions of several instruments are shifted together, so that they stay as correlated as they
are. `quant.backtest.shared_shifts` sums those up.
"""

from typing import Final

import numpy as np
from scipy.fft import irfft, rfft
from scipy.stats import norm

from quant.backtest.shared_shifts import compute_shared_sharpes
from quant.bars.bars import Bars, Floats
from quant.messages.evidence import RandomEntries
from quant.messages.strategy import Costs
from quant.universe.universe import Universe

_HIGH: Final = 0.95
# Fewer shifts say nothing about how much luck varies.
FEWEST_SHIFTS: Final = 30
# Sums by Fourier transforms are exact to a smaller part of the mean square.
_ROUNDING: Final = 1e-12


def compare_random_entries(
    bars: Universe | Bars, positions: Floats, costs: Costs, look_back: int
) -> RandomEntries | None:
    """Compare positions with the same positions at other times.

    Args:
        bars: Prices to trade at.
        positions: Weight held at each close, such as -1, 0 or 1; shape (bars, instruments), or
            (bars,) for one instrument.
        costs: Assumed costs per side.
        look_back: Bars that a decision looks back on. Shifts of at most so many bars are left out.

    Returns:
        None if there was nothing to time: never a position, or the same one throughout. An account
        cannot trade before the second bar and closes at the last; these two do not count. None
        also if too few shifts are left, or all of them earn the same.
    """
    traded = Universe.of(bars)
    if len(traded) < 3 or np.all(positions[1:-1] == positions[1]):
        return None
    if traded.is_single:
        held = positions.reshape(len(traded))
        ratios = _compute_sharpes(_measure_moves(traded.instruments[0]), held, costs)
        shifted = ratios[look_back + 1 : len(ratios) - look_back]
    else:
        ratios = compute_shared_sharpes(traded, positions, costs, look_back)
        shifted = ratios[1:]
    if len(shifted) < FEWEST_SHIFTS:
        return None
    own, mean, spread = float(ratios[0]), float(np.mean(shifted)), float(np.std(shifted))
    if spread <= _ROUNDING:
        return None
    year = np.sqrt(traded.periods_per_year)
    # A share of shifts cannot be below one of them, but many looks need smaller values.
    return RandomEntries(
        paths=len(shifted),
        as_good=float(np.mean(shifted >= own)),
        median_sharpe=float(np.median(shifted) * year),
        high_sharpe=float(np.quantile(shifted, _HIGH) * year),
        p_value=float(norm.sf((own - mean) / spread)),
    )


def compute_position_returns(bars: Bars, positions: Floats, costs: Costs) -> Floats:
    """Return simple returns, shape (bars,), of positions that change at the open.

    They approximate the product of the two parts of a bar by their sum. The error is less than a
    thousandth of the return. Use them to compare positions, not for accounts.
    """
    overnight, intraday = _measure_moves(bars)
    before = np.concatenate([[0.0], positions[:-1]])
    paid = np.abs(positions - before) * (costs.commission + costs.slippage)
    returns: Floats = before * overnight + positions * intraday - paid
    return returns


def _measure_moves(bars: Bars) -> tuple[Floats, Floats]:
    """Return two returns, each of shape (bars,): close before to open, and open to close."""
    overnight = np.concatenate([[0.0], bars.open[1:] / bars.close[:-1] - 1.0])
    return overnight, bars.close / bars.open - 1.0


def _compute_sharpes(moves: tuple[Floats, Floats], positions: Floats, costs: Costs) -> Floats:
    """Return the Sharpe ratio per bar of every circular shift, shape (bars,).

    Element s belongs to positions that are held s bars later, and is 0 without variance. With the
    position `b` of a bar, the one before `a`, their difference `k`, the moves `o` overnight and `i`
    intraday, and the cost `c`, a bar earns `a o + b i - c k`. Its sum and its sum of squares over
    all bars are sums of products of one function of positions and one of moves, as below.
    """
    overnight, intraday = moves
    cost = costs.commission + costs.slippage
    count = len(positions)
    before = np.roll(positions, 1)
    traded = np.abs(positions - before)

    def sum_up(*products: tuple[Floats, Floats]) -> Floats:
        spectrum = sum(np.conj(rfft(held)) * rfft(moved) for held, moved in products)
        return np.asarray(irfft(spectrum, count), np.float64)

    earned = sum_up((before, overnight), (positions, intraday)) - cost * float(traded.sum())
    squares = sum_up(
        (before**2, overnight**2),
        (positions**2, intraday**2),
        (before * positions, 2.0 * overnight * intraday),
        (before * traded, -2.0 * cost * overnight),
        (positions * traded, -2.0 * cost * intraday),
    ) + cost**2 * float((traded**2).sum())
    mean = earned / count
    variance = (squares - count * mean**2) / (count - 1)
    ratios = np.zeros(count)
    varies = variance > _ROUNDING * np.maximum(squares / count, np.finfo(np.float64).tiny)
    np.divide(mean, np.sqrt(variance, where=varies, out=np.ones(count)), out=ratios, where=varies)
    return ratios
