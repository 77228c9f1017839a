"""The one adapter around the backtest engine, raptorbt.

Rules of a simulation:

* The account starts with 1.0 and is fully invested, unleveraged, long or short, or flat.
* A decision at the close of bar t is filled at the open of bar t + 1; a turn-around closes and
  opens at that same open and pays both sides.
* Each side pays commission on the traded notional, and slippage as a worse price.
* What is still held is sold at the open of the last bar, with costs, so that every trade counts.
* An account that has lost everything closes its position and stays flat. Only a short position
  can do that.

The engine is driven through its `KernelSession`, the session under its strategy classes: same
fills, without a Python hook call per bar. Its default modes are not usable here: they fill at the
close the decision was made at, and value short positions in a cash account wrongly. The session
below uses next-bar opens and a margin account, and the sum of the trades' profits must equal the
change in equity, or `EngineError` is raised.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errors import EngineError
from quant.data import Bars
from quant.spec import Costs

# On import raptorbt would otherwise ask PyPI for newer versions in a thread.
os.environ["RAPTORBT_NO_VERSION_CHECK"] = "1"

import raptorbt

# Large enough to be far from the engine's smallest sizes; results are divided by it.
CAPITAL: Final = 1_000_000.0
TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip. Money and sizes are for a starting capital of 1.0.

    Attributes:
        entry_time: Nanoseconds since 1970 in UTC.
        exit_time: Likewise.
        direction: 1 for long, -1 for short.
        entry_price: Including slippage.
        exit_price: Including slippage.
        size: Units of the instrument.
        profit: After all costs.
        net_return: Profit over the notional at entry.
        costs: Commission and slippage of both sides.
    """

    entry_time: int
    exit_time: int
    direction: int
    entry_price: float
    exit_price: float
    size: float
    profit: float
    net_return: float
    costs: float


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What an account that followed the targets would have done. Arrays have shape (bars,).

    Attributes:
        equity: Value at each close; starts at 1.0.
        returns: Simple return from close to close; the first is 0.
        positions: Position held at each close: -1, 0 or 1.
        trades: Oldest first.
    """

    equity: NDArray[np.float64]
    returns: NDArray[np.float64]
    positions: NDArray[np.int8]
    trades: tuple[Trade, ...]

    @property
    def traded_notional(self) -> float:
        """Everything bought and sold, in units of the starting capital."""
        return sum(trade.size * (trade.entry_price + trade.exit_price) for trade in self.trades)


def simulate(
    bars: Bars, targets: NDArray[np.int8], costs: Costs, cost_multiple: float = 1.0
) -> Simulation:
    """Trade the target positions over the bars.

    Args:
        bars: Prices to trade at.
        targets: Position decided at each close: -1, 0 or 1, shape (bars,).
        costs: Assumed costs per side.
        cost_multiple: Factor on these costs; 0 for a simulation without costs.

    Raises:
        ValueError: If there is not exactly one target per bar, or no bar.
        EngineError: If the engine's figures contradict each other.
    """
    if len(targets) != len(bars) or not len(bars):
        raise ValueError(f"{len(targets)} targets for {len(bars)} bars")
    orders = targets.astype(np.int8)
    orders[-2:] = 0
    simulation = _run(bars, orders, costs, cost_multiple)
    ruined = np.flatnonzero(simulation.equity <= 0.0)
    if ruined.size and orders[ruined[0] :].any():
        orders[ruined[0] :] = 0
        simulation = _run(bars, orders, costs, cost_multiple)
    return simulation


def buy_and_hold(bars: Bars) -> Simulation:
    """Buy at the first open that a strategy can buy at, without cost, and hold."""
    return simulate(bars, np.ones(len(bars), dtype=np.int8), Costs(), cost_multiple=0.0)


def require_consistent(equity_change: float, profits: Sequence[float]) -> None:
    """Check that an account changed by exactly what its trades earned.

    Args:
        equity_change: Final minus starting equity.
        profits: Profit of each trade after costs, in the same unit.

    Raises:
        EngineError: If the two differ by more than rounding.
    """
    earned = sum(profits)
    scale = max(1.0, sum(abs(profit) for profit in profits))
    if not abs(equity_change - earned) <= TOLERANCE * scale:
        raise EngineError(
            f"The equity changed by {equity_change:.12g} but the trades earned {earned:.12g}; "
            "the backtest engine contradicts itself"
        )


def _run(bars: Bars, orders: NDArray[np.int8], costs: Costs, cost_multiple: float) -> Simulation:
    config = raptorbt.BacktestConfig(
        initial_capital=CAPITAL,
        fees=costs.commission * cost_multiple,
        slippage=costs.slippage * cost_multiple,
        fill_timing="next_bar_open",
    )
    session = raptorbt.KernelSession(
        symbol=bars.symbol, direction=1, config=config, account_type="margin", leverage=1.0
    )
    _feed(session, bars, orders)
    result = session.finish()

    equity = np.asarray(result.equity_curve(), dtype=np.float64) / CAPITAL
    fills = result.trades()
    trades = tuple(_trade(fill, bars) for fill in fills)
    require_consistent(float(equity[-1]) - 1.0, [trade.profit for trade in trades])
    positions = np.zeros(len(bars), dtype=np.int8)
    for fill in fills:
        positions[fill.entry_idx : fill.exit_idx] = fill.direction
    return Simulation(equity, _returns(equity), positions, trades)


def _feed(session: raptorbt.KernelSession, bars: Bars, orders: NDArray[np.int8]) -> None:
    """Step through the bars, one order per change of the target."""
    columns = (bars.timestamps, bars.open, bars.high, bars.low, bars.close, bars.volume, orders)
    held = 0
    for index, (time, open_, high, low, close, volume, target) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        changed = target != held
        if changed and target < 0:
            # The session's own entry is long; a short one has to be an order with a side.
            session.submit_order("sell", "market", index, time, "", size_frac=1.0)
        session.step(
            index,
            time,
            open_,
            high,
            low,
            close,
            volume,
            entry=changed and target > 0,
            exit=changed and held != 0,
        )
        held = target


def _trade(trade: raptorbt.Trade, bars: Bars) -> Trade:
    size = trade.size / CAPITAL
    slippage = abs(trade.entry_price - float(bars.open[trade.entry_idx])) + abs(
        trade.exit_price - float(bars.open[trade.exit_idx])
    )
    return Trade(
        entry_time=int(bars.timestamps[trade.entry_idx]),
        exit_time=int(bars.timestamps[trade.exit_idx]),
        direction=trade.direction,
        entry_price=trade.entry_price,
        exit_price=trade.exit_price,
        size=size,
        profit=trade.pnl / CAPITAL,
        net_return=trade.return_pct / 100.0,
        costs=trade.fees / CAPITAL + size * slippage,
    )


def _returns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    returns = np.zeros_like(equity)
    before = equity[:-1]
    # There is no return on an account that has nothing left.
    np.divide(np.diff(equity), before, out=returns[1:], where=before > 0.0)
    return returns
