"""The records of the ledger, as callers see them."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from quant.messages.base import FrozenModel
from quant.messages.record.hypotheses import Condition, HypothesisStatus
from quant.messages.spelling import Spelling

MAX_TAGS: Final = 20
MAX_NOTE: Final = 4000

Tag = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.:+/-]{0,49}$",
        "letters, digits, `_`, `.`, `:`, `+`, `/` and `-`, at most 50, with a letter or digit "
        "first",
    ),
]


def _refuse_nul(text: str) -> str:
    """PostgreSQL stores no such text."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


Text = Annotated[str, AfterValidator(_refuse_nul)]


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
    note: str | None = Field(None, description="What people have written about it")
    tags: tuple[str, ...] = ()
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
    brief: str | None = None
    note: str | None = Field(None, description="What people have written about it")
    tags: tuple[str, ...] = ()
    finished_at: datetime


class Standing(ExperimentSummary):
    """One row of the leaderboard."""

    deflated_sharpe: float | None = Field(
        description="Probability that the true Sharpe ratio exceeds the best expected by chance, "
        "by today's trials"
    )
    deflated_sharpe_then: float | None = Field(description="The same when it was judged")
    false_discovery_rate: float = Field(
        1.0,
        description="Adjusted p-value of Benjamini and Yekutieli: calling all with at most this "
        "value discoveries, an expected share of at most this value is false",
    )
    is_discovery: bool = Field(
        False,
        description="Whether it is promising by today's trials and among all that were ranked "
        "with it, at a false discovery rate of 5 %",
    )
    trials_ever: int = Field(description="Distinct candidates tried on these bars until today")
    holdout_looks: int = Field(description="Models backtested on this holdout until today")


class Verification(FrozenModel):
    """Whether the chain is whole."""

    intact: bool
    entries: int = Field(description="Trials and looks in the chain, as far as it is whole")
    unchained: int = Field(description="Rows of earlier versions that have not joined it yet")
    head: str = Field(description="Number and hash of the last entry that is whole")
    problem: str | None = Field(None, description="What is wrong, and where")


class TagCount(FrozenModel):
    """A tag, and how many experiments have it."""

    tag: str
    experiments: int


class Market(FrozenModel):
    """Symbol and timeframe, what has been tried on them, and what that costs the next research."""

    symbol: str
    timeframe: str
    researches: int = Field(description="Ended researches")
    last_research_at: datetime | None = Field(description="End of the last one")
    trials_ever: int = Field(description="Distinct candidates tried on these bars until today")
    holdout_looks: int = Field(description="Models backtested on this holdout until today")
    next_trials: int = Field(description="All candidates after the next research")
    next_look: int = Field(description="Which look at this holdout the next research makes")
    expected_best_sharpe: float | None = Field(
        description="Annualised Sharpe ratio of the best of `next_trials` by chance, for a record "
        "like that of the last research; null before the first that was judged"
    )
    required_sharpe: float | None = Field(
        description="Sharpe ratio that walk-forward and holdout together must reach to be better "
        "than the best of `next_trials` by chance, as a promising research must"
    )


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
