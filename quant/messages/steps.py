"""Inputs and results of the four steps: plain data, small enough for a Temporal payload.

Large things (models, equity curves, trial lists, reports) are artifacts and appear here as the
name under which the step stored them.
"""

from collections.abc import Callable
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from quant.messages.base import FrozenModel
from quant.messages.evidence import Benchmark, CostLevel, RandomEntries, Stability, Statistics
from quant.messages.hypotheses import AnyHypothesis, Verdict
from quant.messages.strategy import StrategySpec

METRICS_ARTIFACT = "metrics.json"

MAX_TRIALS = 10_000
MAX_SEED = 2**31 - 1

Symbol = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.=^-]{0,31}$"),
    Field(description="Name of the bars; a file name without extension in the data directory"),
]
Timeframe = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}(m|h|d|w)$")]
Trials = Annotated[int, Field(strict=True, ge=1, le=MAX_TRIALS)]
Seed = Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)]


class Progress(FrozenModel):
    """Progress of a step, sent as the heartbeat details of its activity."""

    percentage: float = Field(0.0, ge=0.0, le=100.0)
    current_step: str = ""
    steps_completed: int = 0
    steps_total: int = 0
    items_processed: int = 0
    items_total: int | None = None
    current_item: str | None = None
    context: dict[str, float | int | str] = Field(default_factory=dict)


ReportProgress = Callable[[Progress], None]


def unheard(_: object) -> None:
    """Ignore a report."""


class Workspace(Protocol):
    """The artifacts of one operation, as the steps see them."""

    def write(self, name: str, content: bytes) -> None:
        """Store an artifact atomically: after a crash it exists in full or not at all."""

    def read(self, name: str) -> bytes | None:
        """Return the artifact, or None if it was never written."""


class DataSource(FrozenModel):
    """Which bars a step works on."""

    symbol: Symbol = "SP500"
    timeframe: Timeframe = "1d"
    content_hash: str | None = Field(None, description="Required SHA-256 of the bars, if given")


class DataInfo(FrozenModel):
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
            symbol=self.symbol, timeframe=self.timeframe, content_hash=self.content_hash
        )


class Trial(FrozenModel):
    """One candidate that was scored on development data."""

    number: int
    fingerprint: str = Field(
        description="SHA-256 of the spec, with the seed if it samples; equal ones are one trial"
    )
    sharpe: float | None = Field(description="Sharpe ratio per bar; null if it never traded")
    parameters: dict[str, float | int | str | bool]


TRIALS: TypeAdapter[list[Trial]] = TypeAdapter(list[Trial])


class Tried(FrozenModel):
    """A trial and the bars it was made on."""

    data: DataSource
    trial: Trial


ReportTrial = Callable[[Tried], None]


class EarlierTrials(FrozenModel):
    """Trials of other researches, the best first."""

    data_hash: str
    trials: tuple[Trial, ...]


class DesignInput(FrozenModel):
    """Search for a strategy on the development part of the bars."""

    data: DataSource
    trials: Trials
    seed: Seed
    brief: str | None = None
    earlier: EarlierTrials | None = Field(
        None, description="Earlier trials; ignored if made on other bars"
    )


class DesignResult(FrozenModel):
    """The best candidate found. All trials are in the artifact `trials.json` (`list[Trial]`)."""

    spec: StrategySpec
    data: DataInfo
    trials: int
    best_sharpe: float | None = Field(description="Annualised Sharpe ratio on development data")
    remembered: int = Field(0, description="Number of earlier trials that the search started from")
    hypotheses: tuple[str, ...] = Field((), description="IDs of hypotheses to test")
    note: str | None = Field(None, description="What did not go as planned")
    trials_artifact: str = "trials.json"


class CandidateInput(FrozenModel):
    """Score one strategy on the development part of the bars."""

    data: DataSource
    spec: StrategySpec
    seed: Seed


class CandidateScore(FrozenModel):
    """How a candidate did in walk-forward on development data, after 1x cost."""

    data: DataInfo
    sharpe: float | None = Field(description="Sharpe ratio per bar; null if it never traded")
    annual_sharpe: float | None


class TrainingInput(FrozenModel):
    """Train the model of a strategy on the development part of the bars."""

    data: DataSource
    spec: StrategySpec
    seed: Seed


class FoldMetrics(FrozenModel):
    """Out-of-sample figures of one walk-forward fold."""

    fold: int
    train_bars: int
    test_bars: int
    log_loss: float
    accuracy: float
    auc: float | None


class IterationMetrics(FrozenModel):
    """Losses after one boosting iteration."""

    fold: int | None = Field(description="Counted from 1; null for the final model")
    iteration: int
    train_loss: float
    valid_loss: float | None = Field(
        description="Loss on the test bars of the fold; null for the final model"
    )


class TrainingMetrics(FrozenModel):
    """Metrics of a training so far: the artifact `metrics.json`."""

    iterations_planned: int = Field(description="Iterations of all folds and the final model")
    iterations_completed: int
    history: tuple[IterationMetrics, ...] = Field(description="Thinned to about a thousand points")


class TrainingResult(FrozenModel):
    """A trained model and how it did on data it had not seen."""

    data: DataInfo
    model_artifact: str = "model.txt"
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
    curves_artifact: str = "walk_forward.json"
    feature_importance: dict[str, float] = Field(description="Share of total split gain, sums to 1")


class BacktestInput(FrozenModel):
    """Backtest a trained model on the holdout, once."""

    data: DataSource = Field(description="Includes the hash, to count the look at the holdout")
    spec: StrategySpec
    seed: Seed
    model_sha256: str

    @model_validator(mode="after")
    def _bars_are_known(self) -> Self:
        if self.data.content_hash is None:
            raise ValueError("`data.content_hash` is required to count the look at the holdout")
        return self


class BacktestResult(FrozenModel):
    """Holdout performance. Curves and trades are in the artifact `backtest.json`."""

    data: DataInfo
    levels: list[CostLevel]
    benchmark: Benchmark
    random_entries: RandomEntries | None = Field(None, description="Null if it never traded")
    capacity: float | None = Field(
        None,
        description="Capital, in the currency of the prices, that would trade 1 % of the median "
        "volume of a bar; None if there is no volume",
    )
    curves_artifact: str = "backtest.json"

    def at(self, cost_multiple: float) -> CostLevel:
        """Return the figures at this multiple of the assumed costs."""
        return next(level for level in self.levels if level.cost_multiple == cost_multiple)


class GateDecision(FrozenModel):
    """Outcome of a quality gate. A rejection is a result, not an error."""

    gate: Literal["training", "backtest"]
    passed: bool
    reason: str | None = Field(None, description="Which figure failed, and by how much")


class AssessmentInput(FrozenModel):
    """Everything that a verdict is based on."""

    operation_id: str
    data: DataSource
    spec: StrategySpec
    seed: Seed
    brief: str | None = None
    design: DesignResult | None = None
    training: TrainingResult
    backtest: BacktestResult | None = None
    gate_rejection: str | None = None
    trials_ever: int = Field(1, ge=1, description="Distinct candidates ever tried on these bars")
    holdout_looks: int = Field(1, ge=1, description="Models ever backtested on this holdout")


class ModelComment(FrozenModel):
    """A language model's comment. The figures in it were computed, not written by the model."""

    text: str
    model: str


class AssessmentResult(FrozenModel):
    """The verdict and why. The page for people is the artifact `report.html`."""

    verdict: Verdict
    summary: str
    statistics: Statistics | None = Field(description="Null if a gate stopped the research")
    observations: list[str]
    hypotheses: list[AnyHypothesis]
    limitations: list[str]
    stability: Stability | None = Field(None, description="Null if a gate stopped the research")
    comment: ModelComment | None = None
    report_artifact: str = "report.html"
