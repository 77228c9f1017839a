"""What a research was understood to be about, whether fields or a brief said so."""

from typing import Final, Literal, get_args

from pydantic import Field

from quant.messages.data import DateRange
from quant.messages.strategy import FeatureKind
from quant.wording import format_count

_MOST_NAMED: Final = 10


class Understood(DateRange):
    """What a research works on, and how its strategy is found."""

    symbols: tuple[str, ...]
    timeframe: str
    benchmark: str | None = Field(
        None, description="Whose buy and hold the alpha is measured over; null for its own"
    )
    strategy: str | None = Field(None, description="Given by name; then nothing is designed")
    designer: Literal["search", "llm"] | None = Field(
        None, description="Null if the strategy is given"
    )
    model: str | None = Field(None, description="Language model that designs or comments")
    trials: int | None = Field(None, description="Null if the strategy is given")
    families: tuple[str, ...] = Field(
        (), description="Families of the features that a search chooses from"
    )
    features: tuple[FeatureKind, ...] = Field((), description="Features of these families")
    long_only: bool | None = Field(None, description="Whether a search rules short positions out")

    @property
    def _names(self) -> str:
        shown = ", ".join(self.symbols[:_MOST_NAMED])
        more = len(self.symbols) - _MOST_NAMED
        return f"{shown} and {more} more" if more > 0 else shown

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        start, end = self.start_date, self.end_date
        days = "".join([f" from {start}" if start else "", f" until {end}" if end else ""])
        against = f" against {self.benchmark}" if self.benchmark else ""
        bars = f"{self._names}, {self.timeframe} bars{days}{against}"
        trials = format_count(self.trials or 0, "trial")
        if self.strategy is not None:
            return f"{bars}; strategy {self.strategy}"
        if self.designer == "llm":
            return f"{bars}; {self.model or 'a language model'} designs, {trials}"
        if len(self.features) == len(get_args(FeatureKind)):
            chosen = "all features"
        else:
            chosen = f"features of {', '.join(self.families)} ({', '.join(self.features)})"
        short = ", long only" if self.long_only else ""
        return f"{bars}; search of {trials}, {chosen}{short}"
