"""Trials: the candidates that a search has scored."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, TypeAdapter

from quant.messages.base import FrozenModel
from quant.messages.data import DataSource

MAX_TRIALS = 10_000

TrialCount = Annotated[int, Field(strict=True, ge=1, le=MAX_TRIALS)]


class Trial(FrozenModel):
    """One candidate that was scored on development data."""

    number: int
    fingerprint: str = Field(
        description="SHA-256 of the spec, with the seed if it samples; equal ones are one trial"
    )
    sharpe: float | None = Field(description="Sharpe ratio per bar; null if it never traded")
    parameters: dict[str, float | int | str | bool]
    trades: int | None = Field(
        None, description="How often it entered the market; null in records of earlier versions"
    )


TRIAL_LIST: TypeAdapter[list[Trial]] = TypeAdapter(list[Trial])
"""The content of the artifact `trials.json`."""


class TrialOnBars(FrozenModel):
    """A trial and the bars that it was scored on."""

    data: DataSource
    trial: Trial


ReportTrial = Callable[[TrialOnBars], None]


class EarlierTrials(FrozenModel):
    """Trials of other researches on the same bars, the best first."""

    data_hash: str
    trials: tuple[Trial, ...]
