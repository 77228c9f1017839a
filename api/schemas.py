"""Bodies of answers of the resources without a folder: experiments, strategies, health."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from api.envelope import Data, Page
from quant.messages.base import FrozenModel
from quant.messages.record.comparison import Comparison
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.files import StrategyEntry
from quant.wording import join_names
from storage.ledger.records import (
    MAX_NOTE,
    MAX_TAGS,
    Experiment,
    ExperimentSummary,
    HypothesisRecord,
    Market,
    Standing,
    Tag,
    TagCount,
    Text,
    Verification,
)

_Tags = Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS)]


class ExperimentListResponse(Page[ExperimentSummary]):
    """A page of experiments."""


class ExperimentResponse(Data[Experiment]):
    """One experiment."""


class Annotation(FrozenModel):
    """What to change in what people have written about an experiment."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Works in calm years only", "add_tags": ["calm"]}]}
    )

    note: Annotated[Text, Field(max_length=MAX_NOTE)] | None = Field(
        None, description="Replaces the note; an empty one removes it"
    )
    add_tags: _Tags = ()
    remove_tags: _Tags = ()

    @model_validator(mode="after")
    def _require_change(self) -> Self:
        if self.note is None and not self.add_tags and not self.remove_tags:
            raise ValueError("give a note, or tags to add or to remove")
        both = set(self.add_tags) & set(self.remove_tags)
        if both:
            raise ValueError(f"add_tags and remove_tags both name {join_names(both)}")
        return self


class TagListResponse(Data[list[TagCount]]):
    """The tags in use."""


class ComparisonResponse(Data[Comparison]):
    """Researches side by side."""


class MarketListResponse(Page[Market]):
    """A page of markets."""


class LeaderboardResponse(Page[Standing]):
    """A page of the leaderboard."""


class LedgerResponse(Data[Verification]):
    """Whether the chain of trials and looks is whole."""


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
