"""Whether there are enough bars for what is to be started: what is asked, and the answer."""

from pathlib import Path

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.data import DataSource, DateRange, PlainSymbol
from quant.messages.strategy import StrategySpec


class WantedBars(FrozenModel):
    """Which bars are to be used, and for what."""

    data: DataSource
    spec: StrategySpec | None = Field(None, description="Null if it is yet to be found")
    benchmark: PlainSymbol | None = None
    days: DateRange | None = Field(None, description="Days to be traded by a model that exists")


class ReadinessCheck(FrozenModel):
    """What is to be checked."""

    data_dir: Path | None
    wanted: tuple[WantedBars, ...]


class Unready(FrozenModel):
    """Why bars cannot be used."""

    message: str
    field: str | None


class ReadinessAnswer(FrozenModel):
    """The answer to one question; without a problem, the bars can be used."""

    problem: Unready | None = None
