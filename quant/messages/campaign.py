"""Campaigns: many researches under one budget, as the workflow and the record know them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.record.hypotheses import Verdict
from quant.messages.steps import Seed
from quant.messages.strategy import FeatureKind

MOST_MEMBERS: Final = 10_000
# The body of a request may have 5,000 values in all.
MOST_SEEDS: Final = 4_000
MOST_EVOLVING: Final = 500
"""The most members of a generation, if there is more than one generation."""
MOST_NAMED: Final = 50
"""So many members are named where there may be thousands."""

StopReason = Literal["promising", "researches", "trials", "cost", "hours"]


class Offspring(FrozenModel):
    """A member of a later generation: what its search differs in from that of the grid.

    It was proposed from the development scores of the generation before.
    """

    cell: int = Field(description="Which combination of the grid it belongs to, from 0")
    seed: Seed
    features: tuple[FeatureKind, ...] | None = Field(
        None, description="From which it may choose; null for those of the request"
    )


class EvolvingMember(FrozenModel):
    """A member of the generation that has ended."""

    operation_id: str
    cell: int


class GenerationTask(FrozenModel):
    """Propose the next generation."""

    members: tuple[EvolvingMember, ...] = Field(max_length=MOST_EVOLVING)
    features: tuple[FeatureKind, ...] = Field(description="All that may be chosen from")
    seed: Seed


class Generation(FrozenModel):
    """The next generation, as many members for each cell as before."""

    members: tuple[Offspring, ...]


class FailedMember(FrozenModel):
    """A member that failed."""

    operation_id: str
    error: str


class CampaignState(FrozenModel):
    """How far a campaign is. It is small however many members there are: the record has them."""

    begun: int = Field(0, description="Members that have begun; their numbers are 1 to this one")
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    verdicts: Mapping[Verdict, int] = Field(default_factory=dict)
    promising: tuple[str, ...] = Field(
        (), description=f"Operation IDs of promising members, at most {MOST_NAMED}"
    )
    failures: tuple[FailedMember, ...] = Field(
        (), description=f"The first members that failed, at most {MOST_NAMED}"
    )
    trials: int = Field(0, description="Trials of all members that have begun")
    cost: float = Field(
        0.0,
        description="Cost of language models in US dollars: what ended members have spent, and the "
        "limits of those that run",
    )
    generation: int = 1
    stopped_by: StopReason | None = Field(
        None, description="Why no further member begins, if not all have begun"
    )

    @property
    def ended(self) -> int:
        """How many members have ended."""
        return self.completed + self.failed + self.cancelled


class CampaignResult(FrozenModel):
    """The outcome of a campaign. The report shows every member."""

    success: bool = True
    members: int = Field(description="Planned in all generations")
    state: CampaignState


class CampaignRecord(FrozenModel):
    """What is kept of a campaign that has ended, as an artifact."""

    operation_id: str
    name: str
    owner: str
    status: str
    request: dict[str, Any] = Field(description="A `CampaignRequest`")
    members: int
    members_per_generation: int
    state: CampaignState
    error: str | None = None
    cancellation_reason: str | None = None
    started_at: datetime
    finished_at: datetime | None = Field(None, description="Null while it runs")


class CampaignRow(FrozenModel):
    """One member of a campaign. Figures are of the holdout, after cost, if not noted."""

    number: int
    operation_id: str
    generation: int
    status: str = Field(description="`pending` if it has no record yet, because it has not ended")
    symbol: str | None = None
    timeframe: str | None = None
    designer: str | None = None
    brief: str | None = None
    seed: int | None = None
    strategy_name: str | None = None
    verdict: str | None = None
    development_sharpe: float | None = Field(None, description="Of the walk-forward, after cost")
    sharpe: float | None = None
    deflated_sharpe: float | None = Field(
        None,
        description="Probability that the true Sharpe ratio exceeds the best expected by chance, "
        "by all trials on these bars until today, those of the whole campaign included",
    )
    false_discovery_rate: float | None = Field(
        None, description="Among the members of this campaign, by Benjamini and Yekutieli"
    )
    is_discovery: bool = False
    total_return: float | None = None
    trials_ever: int | None = None
    holdout_looks: int | None = None
    cost: float | None = None
    error: str | None = None


class CampaignReport(FrozenModel):
    """A campaign with the members that have begun, the best first."""

    campaign: CampaignRecord
    rows: tuple[CampaignRow, ...] = Field(
        description="All of them, or the part that was asked for; `campaign.state.begun` is their "
        "number"
    )
    discoveries: int = Field(
        description="How many members are promising even among all that the campaign tried"
    )
