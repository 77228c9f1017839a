"""Bodies of answers about the agent, its workers and its budget."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field

from quant.messages.understood import Understood
from storage.records import SpendingEvent
from workflows.contract import OperationType, Phase


class Triggered(BaseModel):
    """A research has been accepted."""

    triggered: Literal[True] = True
    operation_id: str
    model: str
    message: str = "Research cycle started"
    understood: Understood = Field(description="What it was understood to be about")
    warnings: list[str] = Field(description="What of the request has no effect")


class ActiveResearch(BaseModel):
    """A research that has not ended."""

    operation_id: str
    phase: Phase
    strategy_name: str | None
    duration_seconds: int
    child_operation_id: str | None
    symbol: str | None
    owner: str | None


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


class WorkerInfo(BaseModel):
    """A worker on one task queue."""

    worker_id: str
    worker_type: OperationType = Field(description="First of `operation_types`")
    operation_types: list[OperationType] = Field(description="The steps that it runs")
    task_queue: str
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


class QueueLoad(BaseModel):
    """How much of a task queue's compute is in use."""

    busy: int
    total: int
    waiting: int = Field(description="Steps waiting for a slot, as estimated by Temporal")


class Workers(BaseModel):
    """Compute by kind of step. Design and assessment share the slots of the research queue."""

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
    budget: BudgetLeft
    capacity: Capacity
