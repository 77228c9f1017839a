"""The figures of a tear sheet, as the dossier of a research keeps them."""

from pydantic import Field

from quant.messages.base import FrozenModel


class TearSheetLine(FrozenModel):
    """One figure of the account beside that of its benchmark."""

    term: str = Field(description="Its key in the glossary of the report")
    record: float | None = Field(description="Of the account; null if it does not exist")
    benchmark: float | None = Field(description="Of buy and hold; null if it does not exist")
    percent: bool = Field(description="Whether it is a fraction that is shown in per cent")


class Drawdown(FrozenModel):
    """A loss from a peak, until it was made good."""

    peak: str = Field(description="Time of the peak, ISO 8601")
    low: str = Field(description="Time of the lowest close")
    recovered: str | None = Field(description="When the peak was reached again; null if never")
    depth: float = Field(description="Loss at the lowest close, as a fraction of the peak")
    bars: int = Field(description="Bars from the peak to the recovery, or to the end")


class TradeFigures(FrozenModel):
    """Figures of the trades of the holdout."""

    profit_factor: float | None = Field(description="All profits over all losses")
    average_win: float | None = Field(description="Mean return of the trades that earned")
    average_loss: float | None = Field(description="Mean return of the others, negative")
    median_days: float = Field(description="Median calendar days from entry to exit")
    longest_days: float = Field(description="The most of them")


class TearSheet(FrozenModel):
    """Figures of the whole record: walk-forward and holdout at 1x cost."""

    lines: list[TearSheetLine]
    drawdowns: list[Drawdown] = Field(description="The five deepest, the deepest first")
    trades: TradeFigures | None = Field(description="Null without any trade on the holdout")
