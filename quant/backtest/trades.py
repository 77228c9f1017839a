"""Trades: what an account earned with each position.

A trade is a round trip of one instrument. It begins from flat or by a reversal, and ends flat or by
a reversal. A position that grows and shrinks in between is one trade, at the average price of the
units bought and the average price of the units sold. So no rule is needed for which unit is sold
first, and the profits of all trades add up to what the account earned.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Floats
from quant.messages.strategy import Costs

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fills:
    """The bars at whose open something is traded, and the account from there on.

    The first row is the first bar, at which nothing is traded; the last one leaves only cash.

    Attributes:
        bars: Index of each bar, shape (fills,).
        prices: Opens without slippage, shape (fills, instruments); the last close where an
            instrument has no bar.
        targets: Weights in force, of the same shape.
        units: Units held after the fill, negative for short, of the same shape.
        cash: Cash after the fill, shape (fills,).
        worth: The worth that changed targets are shares of, shape (fills,).
    """

    bars: Integers
    prices: Floats
    targets: Floats
    units: Floats
    cash: Floats
    worth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Round trips. Arrays have shape (trades,). Money and sizes are for a starting capital of 1.0.

    Attributes:
        instrument: Column of the instrument.
        entry: Bar of the first fill.
        exit: Bar of the last fill.
        direction: 1.0 for long, -1.0 for short.
        entry_price: Average, including slippage.
        exit_price: Average, including slippage.
        size: All units that were added; equal to all that were given up.
        profit: After all costs.
        net_return: Profit over the notional at entry.
        costs: Commission and slippage of both sides.
    """

    instrument: Integers
    entry: Integers
    exit: Integers
    direction: Floats
    entry_price: Floats
    exit_price: Floats
    size: Floats
    profit: Floats
    net_return: Floats
    costs: Floats

    def __len__(self) -> int:
        return len(self.profit)

    @property
    def notional(self) -> float:
        """Everything bought and sold, in units of the starting capital."""
        return float(np.sum(self.size * (self.entry_price + self.exit_price)))


def build_trades(fills: Fills, costs: Costs) -> Trades:
    """Return the trades that the fills make up, oldest first; `costs` are per side."""
    # All instruments in one row, one after the other: each begins and ends flat.
    side, units = np.sign(fills.targets).T.ravel(), np.abs(fills.units).T.ravel()
    before, after, prices = side[:-1], side[1:], fills.prices.T.ravel()[1:]
    turns = before != after
    begins, ends = turns & (after != 0.0), turns & (before != 0.0)
    trade = np.cumsum(begins) - 1
    added = units[1:] - np.where(turns, 0.0, units[:-1])
    given_up = np.where(turns, units[:-1], -added)

    size, entry = _average_by_trade(begins | (added > 0.0), added, trade, prices)
    left, exit_ = _average_by_trade(ends | (given_up > 0.0), given_up, trade - begins, prices)
    instrument, first = divmod(1 + np.flatnonzero(begins), len(fills.bars))
    last = (1 + np.flatnonzero(ends)) % len(fills.bars)
    direction = after[begins]
    entry_price = entry * (1.0 + costs.slippage * direction)
    exit_price = exit_ * (1.0 - costs.slippage * direction)
    invested, returned = size * entry_price, left * exit_price
    commission = costs.commission * (invested + returned)
    profit = direction * (returned - invested) - commission
    trades = Trades(
        instrument=instrument,
        entry=fills.bars[first],
        exit=fills.bars[last],
        direction=direction,
        entry_price=entry_price,
        exit_price=exit_price,
        size=size,
        profit=profit,
        net_return=profit / invested,
        costs=commission + costs.slippage * (size * entry + left * exit_),
    )
    return trades if fills.units.shape[1] == 1 else _sort_by_entry(trades)


def _average_by_trade(
    counted: NDArray[np.bool_], units: Floats, trade: Integers, prices: Floats
) -> tuple[Floats, Floats]:
    """Return the sum of the counted units and their average price, shape (trades,) each.

    `counted`, `units`, `trade` (number of the trade) and `prices` have one element per fill.
    """
    rows = np.flatnonzero(counted)
    units, trade, prices = units[rows], trade[rows], prices[rows]
    first = np.diff(trade, prepend=-1) > 0
    if first.all():
        return units, prices
    total = np.asarray(np.bincount(trade, units), np.float64)
    return total, np.bincount(trade, units * prices) / total


def _sort_by_entry(trades: Trades) -> Trades:
    order = np.argsort(trades.entry, kind="stable")
    return Trades(**{field.name: getattr(trades, field.name)[order] for field in fields(trades)})
