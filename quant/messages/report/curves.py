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

    symbol: str | None = Field(None, description="Null if there is one instrument only")
    entry_time: str
    exit_time: str
    direction: int = Field(description="1 for long, -1 for short")
    entry_price: float = Field(description="Including slippage")
    exit_price: float
    size: float = Field(description="Units of the instrument")
    profit: float = Field(description="Profit after costs")
    net_return: float = Field(description="Profit over the notional at entry")
    costs: float = Field(description="Commission and slippage of both sides")


class InstrumentFigures(FrozenModel):
    """What one instrument of a universe has contributed, at 1x cost.

    Money is for a starting capital of 1.0.
    """

    symbol: str
    bars: int = Field(description="Traded bars that it has")
    start: str | None = Field(description="The first of them; null if there is none")
    end: str | None = Field(description="The last of them")
    trades: int
    profit: float = Field(
        description="Of its trades after costs; those of all instruments add up to what the "
        "account earned without interest"
    )
    profit_by_year: dict[int, float] = Field(description="By the year in which a trade ended")
    costs: float = Field(description="Commission and slippage")
    turnover: float = Field(description="Everything bought and sold")
    win_rate: float | None
    exposure: float = Field(description="Fraction of its bars at whose close it was held")
    mean_weight: float = Field(description="Mean weight, long or short, where it was held")
    own_return: float | None = Field(description="Of its price from the first bar to the last")
    own_volatility: float | None = Field(description="Annual, of its price")
    market_correlation: float | None = Field(
        description="Correlation of its returns with those of all instruments in equal parts"
    )


class PriceCurve(FrozenModel):
    """The price of one instrument over the traded bars, as far as a figure can show it."""

    symbol: str
    bars: list[int] = Field(description="Indices of traded bars, rising")
    closes: list[float] = Field(description="Last price of each, to six digits")


class Correlations(FrozenModel):
    """How the instruments of a universe went together over the traded bars.

    Matrices are symmetric, with one row for each of `symbols`. Null is what is not known.
    """

    symbols: list[str] = Field(
        description="Those that contributed most, gains or losses; similar ones are neighbours"
    )
    returns: list[list[float | None]] = Field(description="Of the returns from close to close")
    contributions: list[list[float | None]] = Field(
        description="Of these returns times the weight that was held"
    )
    mean_return: float | None = Field(description="Mean of `returns` over all pairs of instruments")
    mean_contribution: float | None = Field(description="The same of `contributions`")


class Curves(FrozenModel):
    """The traded bars: the holdout, or the days that a backtest names.

    Every list until `returns` has one element per bar.
    """

    timestamps: list[str]
    equity: dict[str, list[float]] = Field(
        description="Value at each close, from 1.0, by cost level: `0x`, `1x` and `2x`"
    )
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")
    drawdown: list[float] = Field(description="Positive fraction of the peak, at 1x cost")
    returns: list[float] = Field(description="Simple returns from close to close, at 1x cost")
    trades: list[TradeRecord] = Field(description="Trades at 1x cost")
    instruments: list[InstrumentFigures] = Field(
        default_factory=list, description="Each instrument of a universe; empty if there is one"
    )
    prices: list[PriceCurve] = Field(
        default_factory=list, description="Of each instrument; empty in curves of earlier versions"
    )
    correlations: Correlations | None = Field(
        None, description="Null if there is one instrument, and in curves of earlier versions"
    )
