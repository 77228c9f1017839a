"""Bodies of answers about the agent, its workers and its budget."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field

from quant.messages.understood import Understood
from storage.ledger.records import SpendingEvent
from workflows.interface.contract import Attempt, OperationType, Phase


class Triggered(BaseModel):
    """A research has been accepted."""

    triggered: Literal[True] = True
    operation_id: str
    model: str
    message: str = "Research cycle started"
    understood: Understood = Field(description="What it was understood to be about")
    warnings: list[str] = Field(description="What of the request has no effect")


class ResearchCost(BaseModel):
    """What a research uses up: each trial and each look makes luck more likely for all later ones.

    The counts are those of all owners, because luck does not ask who tried.
    """

    symbols: list[str]
    timeframe: str
    trials: int = Field(description="Candidates that it will score, at most")
    trials_ever: int = Field(description="Candidates scored on these bars until now")
    look: int = Field(description="Its look at the holdout would be the so manieth")


class Preview(BaseModel):
    """What a request for a research means. Nothing has been started."""

    success: Literal[True] = True
    understood: Understood
    sentence: str = Field(description="The same in words")
    warnings: list[str] = Field(description="What of the request has no effect")
    model: str = Field(description="Language model or designer")
    cost: ResearchCost


class ActiveResearch(BaseModel):
    """A research that has not ended."""

    operation_id: str
    phase: Phase
    strategy_name: str | None
    duration_seconds: int
    child_operation_id: str | None
    symbol: str | None
    owner: str | None
    priority: int | None = None
    goal: str | None = None
    progress_percentage: float
    current_step: str | None = None
    attempt: Attempt | None = Field(
        None, description="Of the step that it is at; null between steps"
    )
    cancel_requested: bool = False


class LastCycle(BaseModel):
    """The research that ended last."""

    operation_id: str
    outcome: Literal["completed", "failed"]
    strategy_name: str | None
    completed_at: datetime | None


class WorkerState(StrEnum):
    """Whether a worker has a free slot for compute."""

    AVAILABLE = "available"
    BUSY = "busy"


class WorkerType(StrEnum):
    """What a worker does. Workers of `research` run designs and assessments."""

    RESEARCH = "research"
    TRAINING = "training"
    BACKTESTING = "backtesting"


class WorkerInfo(BaseModel):
    """A worker on one task queue."""

    worker_id: str
    worker_type: WorkerType
    operation_types: list[OperationType] = Field(description="The steps that it runs")
    status: WorkerState = Field(description="`busy` when all slots are taken")
    busy: int = Field(description="Slots in use, as last reported")
    total: int = Field(description="All slots")
    host: str
    endpoint_url: str = Field(
        "", description="Always empty: a worker is reached through its task queue"
    )
    current_operation_id: str | None = Field(
        None, description="One of the operations that it computes; null if it computes none"
    )
    capabilities: dict[str, Any] = Field(
        default_factory=dict, description="Always empty: every worker of a queue can do the same"
    )
    last_health_check: datetime = Field(description="When it reported to Temporal last")


class Slots(BaseModel):
    """The slots of workers, as they last reported: at most five seconds ago.

    A worker process has one set of slots for all that it computes.
    """

    busy: int
    total: int


class Queues(BaseModel):
    """The slots by what their workers do. Those of `research` do designs and assessments."""

    research: Slots
    training: Slots
    backtesting: Slots


class QueueLoad(BaseModel):
    """How many steps of a kind there are at the moment. Only those that compute are busy."""

    busy: int
    total: int = Field(description="Slots of the workers that do such steps")
    waiting: int = Field(description="Steps that wait for a slot")
    retrying: int = Field(0, description="Steps that wait for their next attempt after an error")
    paused: int = Field(0, description="Steps that somebody has paused")


class Workers(BaseModel):
    """Compute by kind of step. Design and assessment share the slots of the research workers."""

    training: QueueLoad
    backtesting: QueueLoad
    agent_design: QueueLoad
    agent_assessment: QueueLoad


UNLIMITED_RESEARCHES: Final = 1_000_000
UNLIMITED_DOLLARS: Final = 1_000_000_000.0
"""Clients format limits as numbers, so that no limit is a number that nobody reaches."""


class Capacity(BaseModel):
    """How many researches are active, and how many may be."""

    active: int
    limit: int = Field(description=f"{UNLIMITED_RESEARCHES:,} if `unlimited`")
    unlimited: bool = Field(
        False, description="Whether there is no limit: researches then queue for the workers"
    )

    @classmethod
    def of(cls, active: int, limit: int | None) -> Self:
        """Return the capacity. A limit of None is none."""
        unlimited = limit is None
        return cls(
            active=active,
            limit=UNLIMITED_RESEARCHES if limit is None else limit,
            unlimited=unlimited,
        )


class BudgetLeft(BaseModel):
    """What is left of a day's budget, in US dollars."""

    remaining: float = Field(description=f"{UNLIMITED_DOLLARS:,.0f} if `unlimited`")
    daily_limit: float = Field(description=f"{UNLIMITED_DOLLARS:,.0f} if `unlimited`")
    unlimited: bool = Field(False, description="Whether there is no limit")
    known: bool = Field(
        True,
        description="False while the ledger does not answer. No model is called then, so "
        "`remaining` is 0",
    )


class Budget(BudgetLeft):
    """A day's budget for language models, in US dollars."""

    date: date
    today_spend: float = Field(
        description="Spent today, including amounts set aside for calls in progress"
    )
    budget_disabled: bool = Field(description="Same as `unlimited`")
    cycles_affordable: int = Field(
        description="Researches that the remaining budget pays for, estimated"
    )
    spend_events: list[SpendingEvent] = Field(description="The hundred latest calls")


class AgentStatus(BaseModel):
    """Active researches, workers, budget and capacity."""

    status: Literal["idle", "active"]
    active_researches: list[ActiveResearch] = Field(description="At most a thousand")
    last_cycle: LastCycle | None = Field(
        description="The research that ended last; only while idle"
    )
    workers: Workers
    queues: Queues
    budget: BudgetLeft
    capacity: Capacity
