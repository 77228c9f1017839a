"""Which bars a step works on, and which bars it found."""

import hashlib
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from quant.messages.base import FrozenModel
from quant.messages.spelling import Spelling

PlainSymbol = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.=^-]{0,31}$",
        "letters, digits, `_`, `.`, `=`, `^` and `-`, at most 32, with a letter or digit first",
    ),
]
"""A symbol, for fields that say themselves what it is for."""
Symbol = Annotated[
    PlainSymbol,
    Field(description="Name of the bars; a file name without extension in the data directory"),
]
BarsName = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.=^+,-]{0,79}$",
        "letters, digits, `_`, `.`, `=`, `^` and `-`, at most 32, with a letter or digit first",
    ),
    Field(description="The symbol; for several instruments, the name that was made for them"),
]
"""A symbol, or the name of several."""
Timeframe = Annotated[
    str, Spelling(r"^[1-9][0-9]{0,2}(m|h|d|w)$", "a number with m, h, d or w, such as 15m or 1d")
]


UniverseName = Annotated[
    str,
    Spelling(
        r"^[a-z0-9][a-z0-9_-]{0,63}$",
        "lower-case letters, digits, `_` and `-`, at most 64, with a letter or digit first",
    ),
]
"""A list of symbols in a file of the user."""

DEVELOPMENT_PERCENT: Final = 70
MOST_INSTRUMENTS: Final = 500
_LONGEST_LIST: Final = 32
_SHOWN: Final = 2
_DIGITS: Final = 6


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


def name_universe(symbols: Sequence[str]) -> str:
    """Return the name of one or more instruments, which their order does not change.

    A short list is its own name. A longer one is named by its first symbols and a hash of all.
    """
    ordered = sorted(symbols)
    listed = ",".join(ordered)
    if len(listed) <= _LONGEST_LIST:
        return listed
    digest = hashlib.sha256(listed.encode()).hexdigest()[:_DIGITS]
    shown = ",".join(ordered[:_SHOWN])
    return f"{shown},+{len(ordered) - _SHOWN}-{digest}"


class Instruments(FrozenModel):
    """One instrument, or several that are traded together."""

    symbol: BarsName = "SP500"
    symbols: tuple[Symbol, ...] = Field(
        (),
        max_length=MOST_INSTRUMENTS,
        description="Instruments that one model learns from and one account trades, 2 to "
        f"{MOST_INSTRUMENTS}, in any order; empty for the one that `symbol` names",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_them(cls, given: Any) -> Any:
        """Fill the name in. One instrument is its own universe, without a list."""
        symbols = given.get("symbols") if isinstance(given, dict) else None
        if not isinstance(symbols, list | tuple) or not symbols:
            return given
        if len(symbols) > MOST_INSTRUMENTS or not all(isinstance(each, str) for each in symbols):
            return given  # Its own field says what is wrong.
        name = name_universe(symbols)
        if given.get("symbol") not in (None, name):
            return given
        return {**given, "symbol": name, "symbols": symbols if len(symbols) > 1 else ()}

    @field_validator("symbols", mode="after")
    @classmethod
    def _require_sense(cls, symbols: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        ordered = tuple(sorted(symbols))
        for one, other in pairwise(ordered):
            if one == other:
                raise ValueError(f"names {one!r} twice")
        named = info.data.get("symbol")
        if ordered and named not in (None, name_universe(ordered)):
            raise ValueError(f"give either `symbols` or `symbol`, which is {named!r}")
        return ordered

    @property
    def instruments(self) -> tuple[str, ...]:
        """The symbols of all instruments, at least one."""
        return self.symbols or (self.symbol,)


class DataSource(Instruments, DateRange):
    """Which bars a step works on."""

    timeframe: Timeframe = "1d"
    content_hash: str | None = Field(None, description="Required SHA-256 of the bars, if given")


class DataInfo(DateRange):
    """The bars found for a `DataSource`."""

    symbol: str
    symbols: tuple[str, ...] = Field((), description="Empty for one instrument")
    timeframe: str
    bars: int = Field(description="Of several instruments: times at which any of them has a bar")
    rows: int | None = Field(
        None, description="Bars of all instruments together; null for one instrument"
    )
    start: str = Field(description="ISO 8601 timestamp of the first bar")
    end: str = Field(description="ISO 8601 timestamp of the last bar")
    holdout_start: str = Field(description="ISO 8601 timestamp of the first holdout bar")
    content_hash: str = Field(description="SHA-256 over timestamps and OHLCV")

    @property
    def instruments(self) -> tuple[str, ...]:
        """The symbols of all instruments, at least one."""
        return self.symbols or (self.symbol,)

    @property
    def work(self) -> int:
        """How many bars a model of them learns from and predicts."""
        return self.bars if self.rows is None else self.rows

    @property
    def source(self) -> DataSource:
        """These bars and no others."""
        return DataSource(
            symbol=self.symbol,
            symbols=self.symbols,
            timeframe=self.timeframe,
            start_date=self.start_date,
            end_date=self.end_date,
            content_hash=self.content_hash,
        )
