"""The accounts of a strategy, bar by bar: `walk_forward.json` and `backtest.json`."""

from pydantic import Field

from quant.messages.base import FrozenModel


class WalkForward(FrozenModel):
    """Development bars, each predicted by a model that had not seen it.

    Every list has one element per bar.
    """

    timestamps: list[str] = Field(description="Times of the bars: ISO 8601, UTC, as all times here")
    equity: list[float] = Field(description="Value at each close, from 1.0, at 1x cost")
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")
    returns: list[float] = Field(description="Simple returns from close to close, at 1x cost")


class TradeRecord(FrozenModel):
    """One round trip. Money and sizes are for a starting capital of 1.0."""

    entry_time: str
    exit_time: str
    direction: int = Field(description="1 for long, -1 for short")
    entry_price: float = Field(description="Including slippage")
    exit_price: float
    size: float = Field(description="Units of the instrument")
    profit: float = Field(description="Profit after costs")
    net_return: float = Field(description="Profit over the notional at entry")
    costs: float = Field(description="Commission and slippage of both sides")


class Curves(FrozenModel):
    """The traded bars: the holdout, or the days that a backtest names.

    Every list but `trades` has one element per bar.
    """

    timestamps: list[str]
    equity: dict[str, list[float]] = Field(
        description="Value at each close, from 1.0, by cost level: `0x`, `1x` and `2x`"
    )
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")
    drawdown: list[float] = Field(description="Positive fraction of the peak, at 1x cost")
    returns: list[float] = Field(description="Simple returns from close to close, at 1x cost")
    trades: list[TradeRecord] = Field(description="Trades at 1x cost")
