"""The only adapter of the backtest engine, raptorbt.

Rules of a simulation:

* The account starts with 1.0 and is fully invested, unleveraged, long or short, or flat.
* A decision at the close of bar t is filled at the open of bar t + 1; a reversal closes and opens
  at that same open and pays both sides.
* Each side pays commission on the traded notional, and slippage as a worse price.
* An open position is closed at the open of the last bar, with costs, so that every trade counts.
* An account that has lost everything closes its position and stays flat. Only a short position
  can lose everything.

Every holding, from the decision to enter to the fill that exits it, runs through its own engine
session (`KernelSession`), and the account is carried from one to the next. The engine's default
modes are not usable here: they fill at the close at which the decision was made, and misvalue short
positions in a cash account; and a session that takes orders of both directions searches all of them
at every bar. A session must return exactly the requested trade, and the sum of the trades' profits
must equal the change in equity, or `EngineError` is raised.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errors import EngineError
from quant.bars.bars import Bars, Floats, Timestamps
from quant.messages.strategy import Costs

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


def the_one_trade(fills: Sequence[raptorbt.Trade], held: slice, direction: int) -> raptorbt.Trade:
    """Return the requested trade.

    Args:
        fills: What the engine did.
        held: Bars from the entry to the exit, both included.
        direction: 1 for long, -1 for short.

    Raises:
        EngineError: The engine did something else.
    """
    done = [(fill.entry_idx, fill.exit_idx + 1, fill.direction) for fill in fills]
    if done != [(held.start, held.stop, direction)]:
        raise EngineError(
            f"Asked to hold {direction} in bars {held.start} to {held.stop - 1}, the backtest "
            f"engine did {done}"
        )
    return fills[0]


def _run(bars: Bars, orders: NDArray[np.int8], costs: Costs, cost_multiple: float) -> Simulation:
    config = raptorbt.BacktestConfig(
        initial_capital=CAPITAL,
        fees=costs.commission * cost_multiple,
        slippage=costs.slippage * cost_multiple,
        fill_timing="next_bar_open",
    )
    prices = np.column_stack([bars.open, bars.high, bars.low, bars.close, bars.volume])
    equity, positions = np.ones(len(bars)), np.zeros(len(bars), dtype=np.int8)
    trades: list[Trade] = []
    account = 1.0
    changes = np.flatnonzero(np.diff(orders, prepend=0)).tolist()
    for decided, left in pairwise([*changes, len(bars) - 1]):
        # Each change is filled one bar later, so a holding includes the bar that it is sold in.
        held = slice(decided + 1, left + 2)
        direction = int(orders[decided])
        if direction == 0 or account <= 0.0:
            equity[held] = account
            continue
        session = raptorbt.KernelSession(
            symbol=bars.symbol,
            direction=direction,
            config=config,
            account_type="margin",
            leverage=1.0,
        )
        result = _hold(session, bars.timestamps, prices, decided, left)
        trades.append(_trade(the_one_trade(result.trades(), held, direction), bars, account))
        worth = np.asarray(result.equity_curve(), dtype=np.float64)[1:] / CAPITAL
        equity[held] = account * worth
        positions[held.start : left + 1] = direction
        account = float(equity[left + 1])
    require_consistent(float(equity[-1]) - 1.0, [trade.profit for trade in trades])
    return Simulation(equity, _returns(equity), positions, tuple(trades))


def _hold(
    session: raptorbt.KernelSession, times: Timestamps, prices: Floats, decided: int, left: int
) -> raptorbt.BacktestResult:
    """Enter after one bar, exit after another; the session sees the fills and what lies between."""
    seen = slice(decided, left + 2)
    for index, (time, (open_, high, low, close, volume)) in enumerate(
        zip(times[seen].tolist(), prices[seen].tolist(), strict=True), start=decided
    ):
        session.step(
            index,
            time,
            open_,
            high,
            low,
            close,
            volume,
            entry=index == decided,
            exit=index == left,
        )
    return session.finish()


def _trade(fill: raptorbt.Trade, bars: Bars, account: float) -> Trade:
    """Return a fill of `CAPITAL` as one of the account."""
    share = account / CAPITAL
    size = fill.size * share
    slippage = abs(fill.entry_price - float(bars.open[fill.entry_idx])) + abs(
        fill.exit_price - float(bars.open[fill.exit_idx])
    )
    return Trade(
        entry_time=int(bars.timestamps[fill.entry_idx]),
        exit_time=int(bars.timestamps[fill.exit_idx]),
        direction=fill.direction,
        entry_price=fill.entry_price,
        exit_price=fill.exit_price,
        size=size,
        profit=fill.pnl * share,
        net_return=fill.return_pct / 100.0,
        costs=fill.fees * share + size * slippage,
    )


def _returns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    returns = np.zeros_like(equity)
    before = equity[:-1]
    # An account that has nothing left has no return.
    np.divide(np.diff(equity), before, out=returns[1:], where=before > 0.0)
    return returns
