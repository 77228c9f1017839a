"""Bodies of answers of the resources without a folder: experiments, strategies, health."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, computed_field

from api.envelope import Data, Page
from quant.messages.strategy import FeatureSpec, StrategySpec
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


class TrainedFigures(BaseModel):
    """Figures of a trained model, on bars that it had not seen."""

    accuracy: float
    auc: float | None
    sharpe_ratio: float | None


class ListedBars(BaseModel):
    """Bars on which a strategy was trained. A strategy itself names none."""

    symbols: list[str] = []
    timeframes: list[str] = []


class ListedStrategy(StrategyEntry):
    """A strategy file, and its last training."""

    symbol: str = Field("", description="Of its last completed training; empty if there is none")
    timeframe: str = ""
    training_data: ListedBars = ListedBars()
    training_status: Literal["untrained", "training", "trained", "failed", "unknown"] = Field(
        "untrained", description="`unknown` while Temporal does not answer"
    )
    latest_training_date: datetime | None = None
    latest_metrics: TrainedFigures | None = None


class StrategyListResponse(Data[list[ListedStrategy]]):
    """All strategy files."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def strategies(self) -> list[ListedStrategy]:
        """Same as `data`, under the name that clients of the earlier system read."""
        return self.data


class StrategyIssue(BaseModel):
    """What is wrong with a strategy file."""

    severity: Literal["error"] = "error"
    category: Literal["strategy"] = "strategy"
    message: str


class StrategyValidation(BaseModel):
    """Whether a strategy file can be used."""

    success: Literal[True] = True
    valid: bool
    strategy_name: str
    issues: list[StrategyIssue]
    available_indicators: list[str]
    message: str


class FeatureInfo(FeatureSpec):
    """A feature that a strategy's model sees."""

    feature_id: str


class StrategyFeatures(BaseModel):
    """The features of a strategy."""

    success: Literal[True] = True
    strategy_name: str
    features: list[FeatureInfo]
    count: int


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
