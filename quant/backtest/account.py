"""Simulates an account that follows target weights.

Rules:

* The account starts with 1.0. A weight is a share of its worth: 1 is fully invested, -0.5 is short
  with half of it, 0 is flat.
* A decision at the close of bar t is filled at the open of bar t + 1; where the instrument has no
  bar there, at its next open. A newer decision replaces one that still waits.
* The account holds its units until the target changes; meanwhile the weight moves with the price. A
  repeated target decides nothing, and neither does NaN.
* At an open, positions that end or reverse are closed first. Changed targets are shares of what the
  account is worth then: weight 1 buys as much as that pays for, slippage and commission included.
  Only the difference to the units held is traded.
* Each side pays commission on the traded notional, and slippage as a worse price. Interest is not
  part of this account; `quant.backtest.simulation` adds it.
* A position that is open at the last open of its instrument is closed there, with costs, so that
  every trade counts.
* An account that is worth nothing, at a close or at an open at which it trades, closes everything
  and stays flat. A long position cannot lose more than it cost; a short or a borrowed one can.

The profits of the trades must add up to the change of the equity, or `InconsistentAccount` is
raised.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from errors import InconsistentAccount
from quant.backtest.trades import Fills, Trades, build_trades
from quant.bars.bars import Floats
from quant.messages.strategy import Costs

TOLERANCE: Final = 1e-9
# Figures of a larger account could exceed what a float holds.
LARGEST_EQUITY: Final = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """The course of an account.

    Attributes:
        equity: Worth at each close, shape (bars,); starts at 1.0.
        returns: Simple return from close to close, shape (bars,). The first is 0, and so is every
            return of an account that has nothing left.
        positions: Weight in force at each close, shape (bars, instruments).
        trades: Oldest first. Their profits do not contain interest.
        cash_return: What cash earns per bar.
    """

    equity: Floats
    returns: Floats
    positions: Floats
    trades: Trades
    cash_return: float = 0.0

    @property
    def excess_returns(self) -> Floats:
        """Returns beyond what cash would have earned, shape (bars,). The first is 0."""
        if not self.cash_return:
            return self.returns
        excess = self.returns - self.cash_return
        excess[:1] = 0.0
        return excess


def follow_targets(
    opens: Floats, closes: Floats, weights: Floats, costs: Costs, values: Floats | None = None
) -> Account:
    """Follow target weights over all bars.

    Args:
        opens: First price of each bar, shape (bars, instruments); NaN where there is no bar.
        closes: Last price, of the same shape, with NaN in the same places.
        weights: Target decided at each close, of the same shape; NaN where nothing is decided.
        costs: Costs per side.
        values: What a unit of each instrument is worth at each close, of the same shape without
            NaN; by default its last price. What is traded at, they do not change.

    Raises:
        ValueError: The arrays do not fit together, or a price or a weight is impossible.
        InconsistentAccount: The figures contradict each other, or are too large for a float.
    """
    _require_valid(opens, closes, weights)
    # Figures too large for a float are found when the profits are added up.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        targets, fills, equity = _follow(opens, closes, weights, costs, values)
        if (ruined := _find_ruin(fills, equity)) is not None:
            weights = np.concatenate([weights[:ruined], np.zeros_like(weights[ruined:])])
            targets, fills, equity = _follow(opens, closes, weights, costs, values)
        trades = build_trades(fills, costs)
        _require_plausible(equity)
        require_consistent(float(equity[-1]) - 1.0, trades.profit)
        return Account(equity, _compute_returns(equity), targets, trades)


def require_consistent(equity_change: float, profits: Floats) -> None:
    """Check that an account changed by exactly what its trades earned.

    Args:
        equity_change: Final minus starting equity.
        profits: Profit of each trade after costs, in the same unit.

    Raises:
        InconsistentAccount: The two differ by more than rounding, or are no numbers.
    """
    earned = float(np.sum(profits))
    scale = max(1.0, float(np.sum(np.abs(profits))))
    if not abs(equity_change - earned) <= TOLERANCE * scale < np.inf:
        raise InconsistentAccount(
            f"The equity changed by {equity_change:.12g} but the trades earned {earned:.12g}; "
            "the account contradicts itself"
        )


def _require_plausible(equity: Floats) -> None:
    if not np.max(np.abs(equity)) <= LARGEST_EQUITY:
        raise InconsistentAccount(
            f"The account grew to more than {LARGEST_EQUITY:g} times its start, which no market "
            "allows. Check the bars for jumps (ktrdr data check)."
        )


def _require_valid(opens: Floats, closes: Floats, weights: Floats) -> None:
    if not (opens.shape == closes.shape == weights.shape and opens.ndim == 2 and opens.size):
        raise ValueError(
            f"targets of shape {weights.shape} for opens of shape {opens.shape} and closes of "
            f"shape {closes.shape}"
        )
    if np.any(np.isnan(opens) != np.isnan(closes)):
        raise ValueError("a bar has only one of open and close")
    if np.any(np.isinf(weights)):
        raise ValueError("a target is infinite")
    for prices in (opens, closes):
        # `fmin` and `fmax` ignore NaN, unless all values are NaN.
        if (
            not 0.0
            < np.fmin.reduce(prices, axis=None)
            <= np.fmax.reduce(prices, axis=None)
            < np.inf
        ):
            raise ValueError("a price is not positive and finite, or there is none")


def _follow(
    opens: Floats, closes: Floats, weights: Floats, costs: Costs, values: Floats | None
) -> tuple[Floats, Fills, Floats]:
    """Follow the weights, even after a ruin; later figures then mean nothing.

    Returns:
        The targets in force, shape (bars, instruments); the fills; the equity, shape (bars,).
    """
    targets = _enforce(opens, weights)
    # Before its first bar an instrument is not held, so its price does not matter.
    latest = _carry_forward(closes, 1.0)
    bars = np.append(0, 1 + np.flatnonzero(np.any(targets[1:] != targets[:-1], axis=1)))
    prices = np.where(np.isnan(opens[bars]), latest[bars], opens[bars])
    shares = targets[bars]
    compounds = shares.shape[1] == 1 and not np.any(shares[1:] * shares[:-1] > 0.0)
    worth, cash, units = (_compound if compounds else _step_through)(prices, shares, costs)

    lasting = np.diff(bars, append=len(opens))
    equity = np.repeat(cash, lasting)
    worths = latest if values is None else values
    equity += np.einsum("ij,ij->i", np.repeat(units, lasting, axis=0), worths)
    return targets, Fills(bars, prices, shares, units, cash, worth), equity


def _find_ruin(fills: Fills, equity: Floats) -> int | None:
    """Return the close at which a ruined account must decide to be flat; None if there is none."""
    at_close = np.flatnonzero(equity <= 0.0)[:1]
    before_open = fills.bars[fills.worth <= 0.0][:1] - 1
    return min([*at_close.tolist(), *before_open.tolist()], default=None)


def _enforce(opens: Floats, weights: Floats) -> Floats:
    """Return the targets in force after the open of each bar, shape (bars, instruments)."""
    exists = ~np.isnan(opens)
    targets = np.concatenate([np.zeros_like(weights[:1]), _carry_forward(weights, 0.0)[:-1]])
    last_open = len(opens) - 1 - np.argmax(exists[::-1], axis=0)
    targets[last_open, np.arange(len(last_open))] = 0.0
    targets[~exists] = np.nan
    return _carry_forward(targets, 0.0)


def _carry_forward(values: Floats, initially: float) -> Floats:
    """Replace NaN by the last known value above it, shape (bars, instruments) as before."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    row = np.where(missing, 0, np.arange(len(values))[:, np.newaxis])
    known = np.take_along_axis(values, np.maximum.accumulate(row, axis=0), axis=0)
    return np.nan_to_num(known, nan=initially)


def _step_through(prices: Floats, targets: Floats, costs: Costs) -> tuple[Floats, Floats, Floats]:
    """Compute the account after each fill, for any targets, one fill after the other.

    Args:
        prices: Price at each fill, shape (fills, instruments). Nothing is traded at the first.
        targets: Targets in force from there on, of the same shape.
        costs: Costs per side.

    Returns:
        The worth that targets are shares of, shape (fills,); the cash after the fill, of the same
        shape; the units after the fill, shape (fills, instruments).
    """
    affordable = _size_units(prices, targets, costs)
    buying = prices * (1.0 + costs.slippage) * (1.0 + costs.commission)
    selling = prices * (1.0 - costs.slippage) * (1.0 - costs.commission)

    def paid(fill: int, traded: Floats) -> float:
        bought, sold = np.maximum(traded, 0.0), np.minimum(traded, 0.0)
        return float(bought @ buying[fill] + sold @ selling[fill])

    changes = targets[1:] != targets[:-1]
    turns = np.sign(targets[1:]) != np.sign(targets[:-1])
    worth, cash, units = np.ones(len(prices)), np.ones(len(prices)), np.zeros_like(prices)
    for fill, (changed, turned) in enumerate(zip(changes, turns, strict=True), start=1):
        held = units[fill - 1]
        kept = np.where(turned, 0.0, held)
        left = cash[fill - 1] - paid(fill, kept - held)
        worth[fill] = left + kept @ prices[fill]
        units[fill] = np.where(changed, affordable[fill] * worth[fill], held)
        cash[fill] = left - paid(fill, units[fill] - kept)
    return worth, cash, units


def _compound(prices: Floats, targets: Floats, costs: Costs) -> tuple[Floats, Floats, Floats]:
    """Return what `_step_through` returns, at once, for one instrument without rebalancing.

    Every position is closed before the next is opened, so each one multiplies the worth.
    """
    side = np.sign(targets)
    units = _size_units(prices, targets, costs)
    cash = 1.0 - targets * (1.0 + costs.commission * side) / (1.0 + costs.commission)
    brought = (1.0 - costs.slippage * side) * (1.0 - costs.commission * side)
    growth = cash[:-1] + units[:-1] * prices[1:] * brought[:-1]
    worth = np.cumprod(np.append(1.0, growth))[:, np.newaxis]
    return worth[:, 0], (worth * cash)[:, 0], worth * units


def _size_units(prices: Floats, targets: Floats, costs: Costs) -> Floats:
    """Return the units that a worth of 1.0 pays for, shape (fills, instruments)."""
    slipped = prices * (1.0 + costs.slippage * np.sign(targets))
    units: Floats = targets / (slipped * (1.0 + costs.commission))
    return units


def _compute_returns(equity: Floats) -> Floats:
    """Return simple returns, shape (bars,): 0 at the first bar and where nothing was left."""
    before, after = equity[:-1], equity[1:]
    returns = np.zeros_like(equity)
    np.divide(after, before, out=returns[1:])
    returns[1:] -= 1.0
    returns[1:][before <= 0.0] = 0.0
    return returns
