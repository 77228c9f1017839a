"""What a watch knows of its strategy: the artifact `watch.json`, and its summary."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from quant.messages.base import FrozenModel
from quant.messages.data import BarsName, Instruments, Timeframe
from quant.messages.steps import Seed
from quant.messages.strategy import StrategySpec

ENOUGH: Final = 20.0
"""Evidence that confirms, and counter-evidence that withdraws."""
MOST_POINTS: Final = 20_000
"""So many bars are kept of a watch, the latest. Of intraday bars a year has more: the bets rest on
those that are dropped, too."""

Standing = Literal["watching", "confirmed", "withdrawn"]
"""What the evidence says so far. A confirmed strategy is watched on; a withdrawn one is not."""

EvidenceValue = Annotated[
    float,
    Field(
        description="Wealth of a bettor who began with 1 and could not gain on average if there "
        "were no alpha: it reaches 20 with 5 % probability at most, however often one looks"
    ),
]
CounterEvidence = Annotated[
    float,
    Field(
        description="The same for a bettor against the alpha that is claimed: at 20 the strategy "
        "is withdrawn"
    ),
]


Awaited = Annotated[
    tuple[str, ...],
    Field(
        description="Instruments whose next bar is awaited before later bars of the others count; "
        "empty if there is nothing to wait for but the next bar"
    ),
]
AwaitedSince = Annotated[
    AwareDatetime | None,
    Field(
        description="The look since which they are awaited: the first that saw later bars of "
        "others, or the latest after which some counted. Null if none are awaited"
    ),
]
Left = Annotated[
    tuple[str, ...],
    Field(
        description="Instruments that nobody waits for: they had no bar at the last ten times that "
        "counted"
    ),
]


class WatchedStrategy(Instruments):
    """The strategy of a finished research, with the model that it was judged by."""

    research_id: str
    training_id: str = Field(description="Under this id its model and its walk-forward are stored")
    backtest_id: str | None = Field(description="Under this one its holdout; None without any")
    symbol: BarsName
    timeframe: Timeframe
    spec: StrategySpec
    seed: Seed
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The state of the two bets after a bar; with it alone they go on.

    Attributes:
        standing: What they say.
        bars: How many bars there were, those of the record included.
        market: Sum of the market's returns beyond those of cash.
        strategy: The same of the strategy.
        market_squares: Sum of the market's squared returns.
        products: Sum of the products of both returns.
        residual_squares: Sum of the squares of what the market does not explain.
        recent_variance: Mean of these squares, weighted towards the latest bars.
        log_evidence: Logarithm of the wealth that was staked on the alpha.
        log_counter_evidence: The same of what was staked against it.
    """

    standing: Standing = "watching"
    bars: int = 0
    market: float = 0.0
    strategy: float = 0.0
    market_squares: float = 0.0
    products: float = 0.0
    residual_squares: float = 0.0
    recent_variance: float = 0.0
    log_evidence: float = 0.0
    log_counter_evidence: float = 0.0


class WatchPoint(FrozenModel):
    """One bar that came after the watch had begun."""

    time: str = Field(description="Of the bar; ISO 8601, UTC")
    strategy: float = Field(description="From its open to the next one, after 1x cost")
    market: float = Field(description="The same of buy and hold, of all instruments equally")
    evidence: EvidenceValue
    counter_evidence: CounterEvidence


class WatchRecord(FrozenModel):
    """All that a watch has seen. The artifact `watch.json`."""

    strategy: WatchedStrategy
    begins_after: str = Field(description="Newest bar when it began; those that follow it count")
    judged_until: str | None = Field(
        None,
        description="Newest bar of the research; an instrument that had left by then is not "
        "awaited. Null in the records of earlier versions",
    )
    awaits: Awaited = ()
    awaits_since: AwaitedSince = None
    awaits_until: str | None = Field(
        None, description="Newest bar at that time; those before it have waited since"
    )
    left: Left = ()
    periods_per_year: float
    state: Evidence = Field(description="Of both bets, after the newest bar that was scored")
    bars: int = Field(0, description="Bars that were scored")
    confirmed_at: str | None = Field(None, description="Time of the bar that confirmed it")
    withdrawn_at: str | None = None
    last_scored: str | None = Field(None, description="Time of the newest bar that was scored")
    points: tuple[WatchPoint, ...] = Field((), description="The latest bars, the oldest first")


class WatchSummary(FrozenModel):
    """Where a watch stands."""

    standing: Standing = "watching"
    evidence: EvidenceValue = 1.0
    counter_evidence: CounterEvidence = 1.0
    bars: int = Field(0, description="Bars that came since it began and were scored")
    begins_after: str | None = Field(
        None, description="Newest bar when it began; null before that is known"
    )
    awaits: Awaited = ()
    awaits_since: AwaitedSince = None
    left: Left = ()
    last_scored: str | None = Field(None, description="Time of the newest bar that was scored")
    confirmed_at: str | None = Field(None, description="Time of the bar that confirmed it")
    withdrawn_at: str | None = Field(None, description="Time of the bar that withdrew it")


class WatchState(FrozenModel):
    """A watch between two looks: all that it goes on with, and what lists show of it."""

    strategy: WatchedStrategy
    summary: WatchSummary = WatchSummary()
    looked_at: AwareDatetime | None = Field(None, description="When it last looked for new bars")
    problem: str | None = Field(
        None, description="Why its last look failed; it looks again at the usual time"
    )
    began_at: AwareDatetime | None = Field(None, description="When it was started")


class Notice(FrozenModel):
    """What people are told."""

    title: str
    body: str
