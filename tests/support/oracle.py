"""An account in plain Python, against which the engine and all that trades through it is held."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Bars
from quant.messages.strategy import Costs

DAY = 86_400 * 10**9


@dataclass
class OracleTrade:
    """One round trip; entry and exit are bars."""

    entry: int
    exit: int
    direction: int
    size: float
    profit: float


def oracle(
    bars: Bars, targets: list[int], costs: Costs, multiple: float
) -> tuple[list[float], list[OracleTrade]]:
    """Return the equity at each close and the trades, by the rules of `quant.backtest.account`."""
    commission, slippage = costs.commission * multiple, costs.slippage * multiple
    cash, units, ruined = 1.0, 0.0, False
    paid_in, entry = 0.0, 0
    trades: list[OracleTrade] = []
    equity: list[float] = []
    for bar in range(len(bars)):
        price = float(bars.open[bar])
        target = 0 if ruined or bar in (0, len(bars) - 1) else targets[bar - 1]
        held = (units > 0) - (units < 0)
        if target != held:
            if held:
                fill = price * (1 - slippage * held)
                cash += units * fill - abs(units) * fill * commission
                trades.append(OracleTrade(entry, bar, held, abs(units), cash - paid_in))
                units = 0.0
            if target and cash > 0:
                fill = price * (1 + slippage * target)
                size = cash / (fill * (1 + commission))
                paid_in, entry, units = cash, bar, size * target
                cash -= units * fill + size * fill * commission
        equity.append(cash + units * float(bars.close[bar]))
        ruined = ruined or equity[-1] <= 0
    return equity, trades


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
