"""What clients and workflows agree on: operation types, statuses, phases, `OperationInfo`."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from quant.messages.data import DataSource, DateRange
from quant.messages.progress import Progress
from quant.messages.understood import Understood

OPERATION_QUERY = "operation"
FINISHED_QUERY = "finished"
CAMPAIGN_QUERY = "campaign"

# Keys of the memo, which Temporal shows in lists and without a worker. A retry names the operation
# that it retries. What it is for and how urgent is known from the start, and with an end without a
# result, where that was (`quant.messages.progress.Ending`).
RETRY_OF = "retry_of"
GOAL = "goal"
PRIORITY = "priority"
# The idempotency key from which the id derives, as a digest, and that of its request.
START_KEY = "start_key"
# What the request asked for without effect, and what it was understood to be about.
WARNINGS = "warnings"
UNDERSTOOD = "understood"
# When an operation began that has continued as new since.
BEGAN = "began"
# A research or campaign as its workflow has left it, without the result of a completed one. Only a
# workflow that was started with this key keeps it; the value is empty until then.
OPERATION = "operation"


class OperationType(StrEnum):
    """Everything that has an operation id."""

    RESEARCH = "agent_research"
    DESIGN = "agent_design"
    TRAINING = "training"
    BACKTEST = "backtesting"
    ASSESSMENT = "agent_assessment"
    CAMPAIGN = "campaign"


# The steps that are activities of their research, and those that are child workflows.
ACTIVITY_STEPS = (OperationType.DESIGN, OperationType.ASSESSMENT)
CHILD_STEPS = (OperationType.TRAINING, OperationType.BACKTEST)

# The names under which Temporal knows the workflows.
WORKFLOW_NAME = {
    OperationType.RESEARCH: "Research",
    OperationType.TRAINING: "Training",
    OperationType.BACKTEST: "Backtest",
    OperationType.CAMPAIGN: "Campaign",
}


class OperationStatus(StrEnum):
    """Status of an operation, as the API and the query say it."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (OperationStatus.PENDING, OperationStatus.RUNNING)


class Phase(StrEnum):
    """The phase of a research."""

    QUEUED = "queued"
    DESIGNING = "designing"
    TRAINING = "training"
    BACKTESTING = "backtesting"
    ASSESSING = "assessing"
    DONE = "done"


# Percentage of the whole research at which a phase begins.
PHASE_START = {
    Phase.QUEUED: 0.0,
    Phase.DESIGNING: 5.0,
    Phase.TRAINING: 20.0,
    Phase.BACKTESTING: 65.0,
    Phase.ASSESSING: 90.0,
    Phase.DONE: 100.0,
}

PHASE_STEP = {
    Phase.QUEUED: "Waiting for a worker",
    Phase.DESIGNING: "Designing strategy...",
    Phase.TRAINING: "Training model...",
    Phase.BACKTESTING: "Running backtest...",
    Phase.ASSESSING: "Assessing results...",
    Phase.DONE: "Complete",
}

PHASE_OF_STEP = {
    OperationType.DESIGN: Phase.DESIGNING,
    OperationType.TRAINING: Phase.TRAINING,
    OperationType.BACKTEST: Phase.BACKTESTING,
    OperationType.ASSESSMENT: Phase.ASSESSING,
}


class AttemptState(StrEnum):
    """What a step does at the moment. Only one of these computes."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    PAUSED = "paused"


class Attempt(BaseModel):
    """The present attempt at the step that an operation is at."""

    state: AttemptState = Field(
        description="`waiting` for a worker, `running`, `retrying` (waiting for its next attempt "
        "after an error), or `paused` by somebody"
    )
    number: int = Field(1, description="Counted from 1")
    since: datetime | None = Field(None, description="When this state began, if Temporal knows")
    last_error: str | None = Field(None, description="Why the attempt before this one failed")
    next_attempt_at: datetime | None = Field(None, description="Present while `retrying`")


class OperationMetadata(BaseModel):
    """What the operation works on."""

    symbol: str | None = None
    symbols: list[str] = Field(
        default_factory=list, description="Its instruments, if it works on several"
    )
    timeframe: str | None = None
    mode: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, bars: DataSource, days: DateRange | None = None, **parameters: Any) -> Self:
        """Return the metadata of an operation on these bars.

        Args:
            bars: Which bars it works on.
            days: The days on which it works, if not on all these bars.
            parameters: What else it was told.
        """
        first, last = (days or bars).start_date, (days or bars).end_date
        return cls(
            symbol=bars.symbol,
            symbols=list(bars.symbols),
            timeframe=bars.timeframe,
            start_date=first and first.isoformat(),
            end_date=last and last.isoformat(),
            parameters=parameters,
        )


class ChildOperation(BaseModel):
    """A step that a research has begun."""

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    progress: Progress | None = Field(
        None, description="Progress of the step itself, unless it completed"
    )
    started_at: datetime | None = Field(None, description="Null if an earlier run finished it")
    completed_at: datetime | None = None
    error_message: str | None = Field(None, description="Why it failed")


class PhaseEntered(BaseModel):
    """When a research entered a phase."""

    phase: Phase
    started_at: datetime


class OperationInfo(BaseModel):
    """One operation, as the API shows it and as the query `operation` answers."""

    operation_id: str
    parent_operation_id: str | None = None
    operation_type: OperationType
    status: OperationStatus
    phase: Phase | None = Field(None, description="Phase of a research; null for other types")
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_seconds: float | None = Field(
        None, description="From its creation to its end, or until now"
    )
    progress: Progress = Progress()
    attempt: Attempt | None = Field(
        None, description="Of the step that it is at; null between steps and after the end"
    )
    step_seconds_left: float | None = Field(
        None,
        description="How long the running step still takes at its pace so far; later steps are not "
        "included",
    )
    metadata: OperationMetadata = OperationMetadata()
    error_message: str | None = None
    understood: Understood | None = Field(
        None, description="What a research was understood to be about; null for other types"
    )
    warnings: list[str] = Field(
        default_factory=list, description="What was asked for has no effect, or needs care"
    )
    errors: list[str] = Field(default_factory=list)
    result_summary: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    is_backend_local: bool = False
    cancel_requested: bool = False
    cancellation_reason: str | None = None
    forced: bool = Field(False, description="Whether it was terminated")
    owner: str | None = None
    priority: int | None = None
    goal: str | None = Field(None, description="What it is for: the brief, strategy or search")
    retry_of: str | None = None
    children: list[ChildOperation] = Field(default_factory=list)
    phases: list[PhaseEntered] = Field(
        default_factory=list, description="Phases that a research has entered so far"
    )

    @property
    def running_child(self) -> ChildOperation | None:
        """The running step of a research."""
        running = (c for c in self.children if c.status is OperationStatus.RUNNING)
        return next(running, None)

    @property
    def step_error(self) -> str | None:
        """Why a step failed. A research that was cancelled afterwards has no error of its own."""
        return next((each.error_message for each in self.children if each.error_message), None)
