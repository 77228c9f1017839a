"""What an account did, bar by bar: the artifacts `walk_forward.json` and `backtest.json`."""

from pydantic import Field

from quant.spec import Model


class WalkForward(Model):
    """Development bars, each predicted by a model that had not seen it; one element per bar."""

    timestamps: list[str] = Field(description="ISO 8601, UTC, as are all times here")
    equity: list[float] = Field(description="At 1x cost; value at each close, from 1.0")
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")
    returns: list[float] = Field(description="At 1x cost, simple, from close to close")


class TradeRecord(Model):
    """One round trip. Money and sizes are for a starting capital of 1.0."""

    entry_time: str
    exit_time: str
    direction: int = Field(description="1 for long, -1 for short")
    entry_price: float = Field(description="Including slippage")
    exit_price: float
    size: float = Field(description="Units of the instrument")
    profit: float = Field(description="After costs")
    net_return: float = Field(description="Profit over the notional at entry")
    costs: float = Field(description="Commission and slippage of both sides")


class Curves(Model):
    """The holdout; one element per bar in every list but `trades`."""

    timestamps: list[str]
    equity: dict[str, list[float]] = Field(
        description="By cost level, `0x`, `1x` and `2x`; value at each close, from 1.0"
    )
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")
    drawdown: list[float] = Field(description="At 1x cost, as a positive fraction of the peak")
    returns: list[float] = Field(description="At 1x cost, simple, from close to close")
    trades: list[TradeRecord] = Field(description="At 1x cost")
