"""Inputs and results of the four steps: plain data, small enough for a Temporal payload.

Large things (models, equity curves, trial lists, reports) are artifacts. Their names never vary:
`quant.messages.artifacts` lists them. Fields that end in `_artifact` repeat the name for clients
and histories that have them; nothing here reads these fields.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quant.messages.artifacts import Artifact
from quant.messages.base import FrozenModel
from quant.messages.data import DataInfo, DataSource, DateRange
from quant.messages.evidence import (
    Benchmark,
    CostLevel,
    Criterion,
    RandomEntries,
    Stability,
    Statistics,
)
from quant.messages.record.hypotheses import AnyHypothesis, Verdict
from quant.messages.record.market import LedgerHead, MarketIdentity
from quant.messages.record.trials import EarlierTrials, TrialCount
from quant.messages.strategy import Costs, FeatureKind, StrategySpec
from quant.messages.training_metrics import FoldMetrics
from quant.messages.understood import Understood

MAX_SEED = 2**31 - 1

Seed = Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)]

DEFAULT_CAPITAL = 100_000.0

# Left out where there is none: what has no benchmark reads as it did before there were any.
BenchmarkHash = Annotated[
    str | None,
    Field(
        description="SHA-256 of the bars of another symbol that it is compared with, on the clock "
        "of the traded ones; null for these, and in results of earlier versions",
        exclude_if=lambda value: value is None,
    ),
]

InitialCapital = Annotated[
    float,
    Field(
        gt=0.0,
        le=1e15,
        description="Money that the account starts with. It trades fractions of its equity, so "
        "only figures in money depend on it",
    ),
]


class DesignInput(FrozenModel):
    """Search for a strategy on the development part of the bars."""

    data: DataSource
    trials: TrialCount
    seed: Seed
    brief: str | None = None
    features: tuple[FeatureKind, ...] | None = Field(
        None, description="Features to choose from; null for those that the brief names, or all"
    )
    long_only: bool | None = Field(
        None, description="Whether to rule short positions out; null for what the brief says"
    )
    earlier: EarlierTrials | None = Field(
        None, description="Earlier trials; ignored if made on other bars"
    )


class DesignResult(FrozenModel):
    """The best candidate found. The artifact `trials.json` holds all trials."""

    spec: StrategySpec
    data: DataInfo
    trials: int
    best_sharpe: float | None = Field(description="Annualised Sharpe ratio on development data")
    remembered: int = Field(0, description="Number of earlier trials that the search started from")
    hypotheses: tuple[str, ...] = Field((), description="IDs of hypotheses to test")
    note: str | None = Field(None, description="What did not go as planned")
    trials_artifact: str = Artifact.TRIALS


class TrainingInput(FrozenModel):
    """Train the model of a strategy on the development part of the bars."""

    data: DataSource
    spec: StrategySpec
    seed: Seed
    benchmark_hash: BenchmarkHash = None


class TrainingResult(FrozenModel):
    """A trained model, and its figures on data that it had not seen."""

    data: DataInfo
    benchmark_hash: BenchmarkHash = None
    model_artifact: str = Artifact.MODEL
    model_sha256: str
    iterations: int
    resumed_from_iteration: int = Field(
        0, description="Iteration of the final model; 0 if never resumed"
    )
    folds: list[FoldMetrics]
    log_loss: float = Field(description="Mean over folds")
    baseline_log_loss: float = Field(description="Log loss of always predicting the base rate")
    accuracy: float
    auc: float | None
    sharpe: float | None = Field(description="Annualised, in walk-forward, after 1x cost")
    curves_artifact: str = Artifact.WALK_FORWARD
    feature_importance: dict[str, float] = Field(description="Share of total split gain, sums to 1")


class BacktestInput(FrozenModel):
    """Backtest a trained model, on the holdout or on days of its own."""

    data: DataSource = Field(description="Includes the hash, to count the look at the holdout")
    spec: StrategySpec
    seed: Seed
    model_sha256: str
    benchmark_hash: BenchmarkHash = None
    days: DateRange | None = Field(
        None,
        description="Trade these days of all bars of the symbol, whatever the training has seen, "
        "instead of the holdout",
    )
    costs: Costs | None = Field(None, description="Assumed instead of the strategy's own")
    initial_capital: InitialCapital = DEFAULT_CAPITAL

    @model_validator(mode="after")
    def _require_hash(self) -> Self:
        if self.data.content_hash is None:
            raise ValueError("`data.content_hash` is required to count the look at the holdout")
        return self


class BacktestResult(FrozenModel):
    """Performance on the holdout. The artifact `backtest.json` holds curves and trades."""

    data: DataInfo
    levels: list[CostLevel]
    benchmark: Benchmark
    random_entries: RandomEntries | None = Field(None, description="Null if it never traded")
    traded_bars: int | None = Field(
        None, description="Bars that were traded; null in results of earlier versions"
    )
    initial_capital: InitialCapital = DEFAULT_CAPITAL
    break_even_cost: float | None = Field(
        None,
        description="Cost per side, as a fraction of what is traded, at which nothing is left of "
        "the alpha over buy and hold; null if it never traded, or there is none without cost",
    )
    capacity: float | None = Field(
        None,
        description="Capital, in the currency of the prices, that would trade 1 % of the median "
        "volume of a bar; None if there is no volume",
    )
    independent_instruments: float | None = Field(
        None,
        description="Number of uncorrelated instruments that would vary as much together; null if "
        "there is one instrument",
    )
    curves_artifact: str = Artifact.CURVES

    def get_level(self, cost_multiple: float) -> CostLevel:
        """Return the figures at this multiple of the assumed costs."""
        return next(level for level in self.levels if level.cost_multiple == cost_multiple)


class GateDecision(FrozenModel):
    """The outcome of a quality gate. A rejection is a result, not an error."""

    gate: Literal["training", "backtest"]
    passed: bool
    reason: str | None = Field(None, description="Which figure failed, and by how much")


class AssessmentInput(FrozenModel):
    """All results that a verdict is based on."""

    operation_id: str
    data: DataSource
    spec: StrategySpec
    seed: Seed
    brief: str | None = None
    understood: Understood | None = None
    warnings: tuple[str, ...] = Field((), description="What of the request had no effect")
    design: DesignResult | None = None
    training: TrainingResult
    backtest: BacktestResult | None = None
    gate_rejection: str | None = None
    trials_ever: int = Field(1, ge=1, description="Distinct candidates ever tried on these bars")
    holdout_looks: int = Field(1, ge=1, description="Strategies backtested on this holdout")
    market: MarketIdentity | None = Field(
        None, description="Trials and looks are counted under all of its names"
    )
    ledger_head: LedgerHead | None = Field(
        None, description="Newest entry of the ledger when it was counted"
    )


class ModelComment(FrozenModel):
    """The comment of a language model. Its figures were computed, not written by the model."""

    text: str
    model: str


class AssessmentResult(FrozenModel):
    """The verdict, with its reasons. `report.html` is the page for people, once it was seen."""

    verdict: Verdict
    summary: str
    statistics: Statistics | None = Field(description="Null if a gate stopped the research")
    conditions: tuple[Criterion, ...] = Field(
        (),
        description="Conditions of the verdict `promising`; none if a gate stopped the research, "
        "and in results of earlier versions",
    )
    observations: list[str]
    hypotheses: list[AnyHypothesis]
    limitations: list[str]
    market: MarketIdentity | None = None
    ledger_head: str | None = Field(
        None, description="Number and hash of the ledger's newest entry when it was counted"
    )
    stability: Stability | None = Field(None, description="Null if a gate stopped the research")
    comment: ModelComment | None = None
    report_artifact: str = Artifact.REPORT
