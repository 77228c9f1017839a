"""Bodies of answers of the resources without a folder: experiments, strategies, health."""

from typing import Literal

from pydantic import BaseModel

from api.envelope import Data, Page
from quant.messages.strategy import StrategySpec
from quant.strategy.files import StrategyEntry
from storage.records import Experiment, ExperimentSummary, HypothesisRecord, Standing


class ExperimentListResponse(Page[ExperimentSummary]):
    """A page of experiments."""


class ExperimentResponse(Data[Experiment]):
    """One experiment."""


class LeaderboardResponse(Page[Standing]):
    """A page of the leaderboard."""


class HypothesisListResponse(Data[list[HypothesisRecord]]):
    """Hypotheses, newest first."""


class StrategyListResponse(Data[list[StrategyEntry]]):
    """All strategy files."""


class StrategyResponse(Data[StrategySpec]):
    """A valid strategy."""


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """Whether work can be accepted and done."""

    ready: bool
    temporal: bool
    ledger: bool
    workers: dict[str, int]
