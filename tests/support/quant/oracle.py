"""An account in plain Python, against which ours and all that trades through it is held.

It goes from bar to bar and calculates with fifty decimal digits, so no price makes it inexact.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs

DAY: Final = 86_400 * 10**9
_DIGITS: Final = 50


@dataclass
class OracleTrade:
    """One round trip of an instrument; entry and exit are bars. Values are without costs."""

    instrument: int
    entry: int
    direction: int
    exit: int = 0
    added: Decimal = Decimal(0)
    added_value: Decimal = Decimal(0)
    given_up: Decimal = Decimal(0)
    given_up_value: Decimal = Decimal(0)
    profit: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)

    @property
    def size(self) -> float:
        """Units that were added in all."""
        return float(self.added)


class Oracle:
    """An account that follows weights by the rules stated in `quant.backtest.account`."""

    def __init__(self, opens: Floats, closes: Floats, weights: Floats, costs: Costs) -> None:
        self.equity: list[float] = []
        self.positions: list[list[float]] = []
        self.trades: list[OracleTrade] = []
        self._commission, self._slippage = Decimal(costs.commission), Decimal(costs.slippage)
        count = opens.shape[1]
        self._cash = Decimal(1)
        self._units = [Decimal(0)] * count
        self._prices = [Decimal(1)] * count
        self._targets = [0.0] * count
        self._running: list[OracleTrade | None] = [None] * count
        with localcontext(prec=_DIGITS):
            self._run(opens.tolist(), closes.tolist(), weights.tolist())

    def _run(
        self, opens: list[list[float]], closes: list[list[float]], weights: list[list[float]]
    ) -> None:
        instruments = range(len(opens[0]))
        existing = [[i for i in instruments if not math.isnan(price[i])] for price in opens]
        last = [
            max((t for t, some in enumerate(existing) if i in some), default=0) for i in instruments
        ]
        decided = [0.0 for _ in instruments]
        ruined = False
        for bar, present in enumerate(existing):
            for i in present:
                self._prices[i] = Decimal(opens[bar][i])
            wanted = {i: 0.0 if ruined or bar == last[i] else decided[i] for i in present}
            changes = {i: to for i, to in wanted.items() if to != self._targets[i]}
            if changes and self._rebalance(bar, changes) <= 0:
                ruined = True
                self._rebalance(bar, dict.fromkeys(present, 0.0))
            for i in present:
                self._prices[i] = Decimal(closes[bar][i])
            worth = self._worth()
            ruined = ruined or worth <= 0
            self.equity.append(float(worth))
            self.positions.append(list(self._targets))
            decided = [
                old if math.isnan(new) else new
                for old, new in zip(decided, weights[bar], strict=True)
            ]

    def _worth(self) -> Decimal:
        held = (units * price for units, price in zip(self._units, self._prices, strict=True))
        return self._cash + sum(held, Decimal(0))

    def _rebalance(self, bar: int, changes: dict[int, float]) -> Decimal:
        """Trade, unless nothing is left after the first step; return what is left after it."""
        for i, target in changes.items():
            if target * self._targets[i] <= 0:
                self._trade(bar, i, -self._units[i])
                self._targets[i] = 0.0
        worth = self._worth()
        if worth > 0:
            for i, target in changes.items():
                side = (target > 0) - (target < 0)
                price = self._prices[i] * (1 + self._slippage * side) * (1 + self._commission)
                self._trade(bar, i, Decimal(target) * worth / price - self._units[i])
                self._targets[i] = target
        return worth

    def _trade(self, bar: int, i: int, units: Decimal) -> None:
        """Buy units, or sell them if there are less than none; never through zero."""
        if not units:
            return
        side = 1 if units > 0 else -1
        price = self._prices[i] * (1 + self._slippage * side)
        commission = abs(units) * price * self._commission
        before, self._units[i] = self._units[i], self._units[i] + units
        self._cash -= units * price + commission
        trade = self._running[i]
        if trade is None:
            trade = self._running[i] = OracleTrade(i, bar, side)
            self.trades.append(trade)
        if abs(self._units[i]) > abs(before):
            trade.added += abs(units)
            trade.added_value += abs(units) * price
        else:
            trade.given_up += abs(units)
            trade.given_up_value += abs(units) * price
        trade.profit -= units * price + commission
        trade.costs += commission + abs(units) * abs(price - self._prices[i])
        if not self._units[i]:
            trade.exit = bar
            self._running[i] = None


def oracle(
    bars: Bars, targets: list[int], costs: Costs, multiple: float
) -> tuple[list[float], list[OracleTrade]]:
    """Return the equity at each close and the trades of one symbol."""
    opens, closes = bars.open[:, np.newaxis], bars.close[:, np.newaxis]
    weights = np.array(targets, np.float64)[:, np.newaxis]
    account = Oracle(opens, closes, weights, costs.times(multiple))
    return account.equity, account.trades


def bars_of(opens: NDArray[np.float64], closes: NDArray[np.float64]) -> Bars:
    """Return daily bars with these prices."""
    return Bars(
        symbol="TEST",
        timeframe="1d",
        timestamps=np.arange(len(opens), dtype=np.int64) * DAY,
        open=opens,
        high=np.maximum(opens, closes) * 1.001,
        low=np.minimum(opens, closes) * 0.999,
        close=closes,
        volume=np.ones(len(opens)),
    )


def random_bars(seed: int, count: int, volatility: float) -> Bars:
    """Return a random walk with gaps between the bars."""
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, volatility, count)))
    gaps = np.exp(rng.normal(0.0, volatility, count))
    return bars_of(np.concatenate(([100.0], closes[:-1])) * gaps, closes)
