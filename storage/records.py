"""The records of the ledger, as callers see them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.hypotheses import Condition, HypothesisStatus


class Experiment(FrozenModel):
    """One research that has ended, whatever its outcome."""

    operation_id: str
    status: str
    owner: str
    symbol: str
    timeframe: str
    seed: int
    designer: str | None = None
    model: str | None = Field(None, description="Language model")
    brief: str | None = None
    data_hash: str | None = None
    strategy: dict[str, Any] | None = Field(None, description="A `StrategySpec`")
    metrics: dict[str, Any] | None = Field(None, description="A `ResearchResult`")
    verdict: str | None = None
    error: str | None = None
    cancellation_reason: str | None = None
    progress: float | None = Field(None, description="Percentage at which it ended")
    cost: float | None = Field(None, description="Cost of language models, in US dollars")
    request: dict[str, Any] | None = Field(None, description="A `ResearchRequest`")
    versions: dict[str, str] | None = Field(
        None, description="Versions of the libraries that figures depend on"
    )
    reproduces: str | None = Field(
        None, description="Operation ID of the research that it reproduces"
    )
    started_at: datetime
    finished_at: datetime


class ExperimentSummary(FrozenModel):
    """One row of a list of experiments. Figures are of the holdout, after cost, if not noted."""

    operation_id: str
    status: str
    owner: str
    symbol: str
    timeframe: str
    designer: str | None
    strategy_name: str | None
    verdict: str | None
    sharpe: float | None
    sharpe_low: float | None = Field(description="Lower end of the 95 % interval of `sharpe`")
    sharpe_high: float | None
    deflated_sharpe: float | None = Field(
        description="Probability that the true Sharpe ratio exceeds the best expected by chance"
    )
    trials_ever: int | None = Field(None, description="Tried on these bars, when it was judged")
    development_sharpe: float | None = Field(None, description="Of the walk-forward, after cost")
    total_return: float | None
    cost: float | None
    finished_at: datetime


class Standing(ExperimentSummary):
    """One row of the leaderboard."""

    deflated_sharpe: float | None = Field(
        description="Probability that the true Sharpe ratio exceeds the best expected by chance, "
        "by today's trials"
    )
    deflated_sharpe_then: float | None = Field(description="The same when it was judged")
    trials_ever: int = Field(description="Distinct candidates tried on these bars until today")
    holdout_looks: int = Field(description="Models backtested on this holdout until today")


class HypothesisRecord(FrozenModel):
    """A hypothesis, its origin, and its outcome."""

    hypothesis_id: str
    symbol: str
    timeframe: str
    statement: str
    test: tuple[Condition, ...]
    status: HypothesisStatus
    by_holdout: bool = Field(description="Whether the holdout may have led to it")
    operation_id: str = Field(description="Operation ID of the research that suggested it")
    created_at: datetime
    tested_by: str | None = Field(description="Operation ID of the research that settled it")
    tested_at: datetime | None


class Tokens(FrozenModel):
    """Token counts reported by a provider. Input includes tokens read from a cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class SpendingEvent(Tokens):
    """One call of a language model."""

    call_id: str
    operation_id: str
    model: str
    cost: float = Field(description="US dollars; until it is settled, the amount set aside")
    settled: bool
    created_at: datetime
