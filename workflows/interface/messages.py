"""Inputs and results of the workflows.

The command imports this module, so it must not import Temporal's SDK.
"""

import textwrap
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from quant.brief.words import ALL_KINDS, list_families, order_kinds
from quant.messages.base import FrozenModel
from quant.messages.data import (
    DataSource,
    DateRange,
    Instruments,
    PlainSymbol,
    Timeframe,
    UniverseName,
)
from quant.messages.evidence import Criterion, Statistics
from quant.messages.record.hypotheses import Verdict
from quant.messages.record.market import MarketIdentity
from quant.messages.record.trials import TrialCount
from quant.messages.steps import (
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    BenchmarkHash,
    DesignResult,
    Seed,
    TrainingResult,
)
from quant.messages.strategy import FeatureKind, StrategyName, StrategySpec
from quant.messages.understood import Understood
from quant.verdict.gates import GateLimits
from workflows.interface.contract import OperationType
from workflows.interface.owned import OwnedRequest

_LONGEST_GOAL: Final = 100


class ResearchRequest(OwnedRequest, Instruments, DateRange):
    """What to research. All fields are optional: `{}` searches the S&P 500."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"brief": "momentum", "symbol": "NASDAQ", "trials": 30}]}
    )

    brief: str | None = Field(
        None,
        max_length=4000,
        description="What to look for, in words. Symbol, timeframe and days are taken from it "
        "unless their fields are given; `search` knows a few words, and `llm` reads everything",
    )
    strategy: StrategyName | None = Field(
        None, description="Name of a strategy file; skips the design. Excludes `brief`"
    )
    universe: UniverseName | None = Field(
        None, description="Name of a list of symbols in a file, instead of `symbols`"
    )
    timeframe: Timeframe = "1d"
    benchmark: PlainSymbol | None = Field(
        None,
        description="Symbol whose buy and hold the alpha is measured over; default: that of the "
        "strategy file, or else the instruments themselves",
    )
    designer: Literal["search", "llm"] = "search"
    model: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Language model for `llm`, such as `anthropic:claude-sonnet-5-5`",
    )
    max_cost: float | None = Field(
        None, gt=0.0, le=1000.0, description="Cost limit for `llm`, in US dollars"
    )
    trials: TrialCount = 12
    features: tuple[FeatureKind, ...] | None = Field(
        None,
        min_length=1,
        max_length=len(ALL_KINDS),
        description="Features that `search` may choose from; default: those that the brief names, "
        "or all",
    )
    long_only: bool | None = Field(
        None,
        strict=True,
        description="Whether `search` rules short positions out; default: as the brief says",
    )
    seed: Seed | None = Field(None, description="Random seed; drawn and recorded if absent")
    memory: bool | None = Field(
        None,
        strict=True,
        description="Whether a search starts from earlier trials on the same bars. Default: only "
        "without a seed, since a seed asks for a repeatable result",
    )
    gates: GateLimits = GateLimits()
    bypass_gates: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _brief_or_strategy(self) -> Self:
        if self.brief is not None and self.strategy is not None:
            raise ValueError("give either `brief` or `strategy`, not both")
        return self

    @property
    def data(self) -> DataSource:
        """The bars to work on."""
        return DataSource(
            symbol=self.symbol,
            symbols=self.symbols,
            timeframe=self.timeframe,
            start_date=self.start_date,
            end_date=self.end_date,
        )

    @property
    def understood(self) -> Understood:
        """What the research works on, and how its strategy is found."""
        bars = {"symbols": self.instruments, "timeframe": self.timeframe}
        days = {
            "start_date": self.start_date,
            "end_date": self.end_date,
            "benchmark": self.benchmark,
        }
        model = {"model": self.model if self.designer == "llm" else None}
        if self.strategy is not None:
            return Understood(**bars, **days, **model, strategy=self.strategy)
        design = {"designer": self.designer, "trials": self.trials}
        if self.designer == "llm":
            return Understood(**bars, **days, **model, **design)
        features = order_kinds(self.features or ALL_KINDS)
        return Understood(
            **bars,
            **days,
            **design,
            families=list_families(features),
            features=features,
            long_only=self.long_only or False,
        )

    def set_benchmark(self, spec: StrategySpec) -> StrategySpec:
        """Return a strategy with the benchmark of this request, if it names one."""
        if self.benchmark is None:
            return spec
        return spec.model_copy(update={"benchmark": self.benchmark})

    @property
    def starts_from_memory(self) -> bool:
        """Whether the search starts from earlier trials."""
        return self.seed is None if self.memory is None else self.memory

    @property
    def design_method(self) -> str:
        """By what the strategy is found: the language model, or the number of trials."""
        if self.designer == "llm":
            return self.model or "language model"
        return f"{self.trials} trials"

    @property
    def goal(self) -> str:
        """What it is for: the brief, or else the strategy or the search."""
        text = self.brief or self.strategy or f"{self.designer}, {self.design_method}"
        return textwrap.shorten(text, _LONGEST_GOAL, placeholder=" …")

    @property
    def headline(self) -> str:
        """One line for lists and the Web UI."""
        source = self.strategy or f"{self.designer}, {self.design_method}"
        return f"{self.symbol} {self.timeframe} · {source}"


class FinishedSteps(FrozenModel):
    """The results of a research so far. A resumed research starts with them."""

    seed: int
    spec: StrategySpec | None = None
    design: DesignResult | None = None
    training: TrainingResult | None = None
    backtest: BacktestResult | None = None
    assessment: AssessmentResult | None = None

    def list_steps(self) -> list[OperationType]:
        """Return the steps that have finished, in their order."""
        results = {
            OperationType.DESIGN: self.design,
            OperationType.TRAINING: self.training,
            OperationType.BACKTEST: self.backtest,
            OperationType.ASSESSMENT: self.assessment,
        }
        return [step for step, result in results.items() if result is not None]


class Reproduction(FrozenModel):
    """Which research to repeat, and the counts by which it was judged."""

    operation_id: str
    data_hash: str
    benchmark_hash: BenchmarkHash = None
    seed: int | None = None
    spec: StrategySpec | None = Field(None, description="Absent if the search is to be repeated")
    trials_ever: int = 1
    holdout_looks: int = 1


class ResearchInput(ResearchRequest):
    """The input of the workflow: the request, and the results that it can reuse."""

    finished: FinishedSteps | None = Field(
        None, description="Steps finished by the run that this one resumes"
    )
    reproduces: Reproduction | None = Field(None, description="The research to reproduce")
    warnings: tuple[str, ...] | None = Field(
        None, description="What of the request has no effect; null if nobody has read its brief"
    )

    @model_validator(mode="after")
    def _require_symbols(self) -> Self:
        if self.universe is not None and not self.symbols:
            raise ValueError("`universe` is read by the API; give its `symbols` as well")
        return self

    @classmethod
    def of(cls, request: ResearchRequest, finished: FinishedSteps | None = None) -> Self:
        """Return the input for a request, with the steps that an earlier run finished."""
        if isinstance(request, cls):
            return request.model_copy(update={"finished": finished})
        return cls(**request.model_dump(exclude={"finished"}), finished=finished)

    @property
    def request(self) -> ResearchRequest:
        """The request as it was sent."""
        return ResearchRequest(**self.model_dump(include=set(ResearchRequest.model_fields)))


class BacktestRequest(FrozenModel):
    """Backtest the model of a finished training."""

    training_id: str
    input: BacktestInput


class BacktestSummary(FrozenModel):
    """The holdout at a glance, after 1x cost."""

    sharpe_ratio: float | None
    total_return: float
    max_drawdown: float
    win_rate: float | None
    total_trades: int
    benchmark_return: float
    total_return_at_cost: dict[str, float] = Field(description="Total return by cost multiple")

    @classmethod
    def of(cls, result: BacktestResult) -> Self:
        """Condense a backtest."""
        level = result.get_level(1.0)
        return cls(
            sharpe_ratio=level.sharpe,
            total_return=level.total_return,
            max_drawdown=level.max_drawdown,
            win_rate=level.win_rate,
            total_trades=level.trades,
            benchmark_return=result.benchmark.total_return,
            total_return_at_cost={
                f"{each.cost_multiple:g}": each.total_return for each in result.levels
            },
        )


class ResearchResult(FrozenModel):
    """Outcome of a research. Paths are relative to the artifact store."""

    success: bool = True
    strategy_name: str
    verdict: Verdict
    summary: str
    seed: int
    data_hash: str
    benchmark_hash: BenchmarkHash = None
    gate_rejection_reason: str | None
    backtest_result: BacktestSummary | None
    statistics: Statistics | None
    conditions: tuple[Criterion, ...] = Field(
        (), description="Conditions of the verdict `promising`, each with its value and limit"
    )
    market: MarketIdentity | None = Field(None, description="By which trials and looks count")
    ledger_head: str | None = Field(
        None, description="Entry of the ledger that the verdict rests on: number and hash"
    )
    development_sharpe: float | None = Field(
        None, description="Annualised, of the walk-forward, after 1x cost"
    )
    model_path: str
    model_sha256: str
    report_path: str
