"""Which bars a step works on, and which bars it found."""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from quant.messages.base import FrozenModel
from quant.messages.spelling import Spelling

Symbol = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.=^-]{0,31}$",
        "letters, digits, `_`, `.`, `=`, `^` and `-`, at most 32, with a letter or digit first",
    ),
    Field(description="Name of the bars; a file name without extension in the data directory"),
]
Timeframe = Annotated[
    str, Spelling(r"^[1-9][0-9]{0,2}(m|h|d|w)$", "a number with m, h, d or w, such as 15m or 1d")
]


DEVELOPMENT_PERCENT: Final = 70


def count_development_bars(bars: int) -> int:
    """Return how many of so many bars come before the holdout."""
    return bars * DEVELOPMENT_PERCENT // 100


class DateRange(FrozenModel):
    """The days from which bars are used, the first and the last included. None is open."""

    start_date: date | None = Field(None, description="First day of the bars, in UTC")
    end_date: date | None = Field(None, description="Last day of the bars, in UTC")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.start_date and self.end_date and self.start_date > self.end_date:
            raise ValueError(f"`start_date` {self.start_date} is after `end_date` {self.end_date}")
        return self


class DataSource(DateRange):
    """Which bars a step works on."""

    symbol: Symbol = "SP500"
    timeframe: Timeframe = "1d"
    content_hash: str | None = Field(None, description="Required SHA-256 of the bars, if given")


class DataInfo(DateRange):
    """The bars found for a `DataSource`."""

    symbol: str
    timeframe: str
    bars: int
    start: str = Field(description="ISO 8601 timestamp of the first bar")
    end: str = Field(description="ISO 8601 timestamp of the last bar")
    holdout_start: str = Field(description="ISO 8601 timestamp of the first holdout bar")
    content_hash: str = Field(description="SHA-256 over timestamps and OHLCV")

    @property
    def source(self) -> DataSource:
        """These bars and no others."""
        return DataSource(
            symbol=self.symbol,
            timeframe=self.timeframe,
            start_date=self.start_date,
            end_date=self.end_date,
            content_hash=self.content_hash,
        )
