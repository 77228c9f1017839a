"""What is to be started, and how Temporal shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.common import Priority, SearchAttributePair

from quant.messages.base import FrozenModel
from quant.messages.steps import BacktestInput, TrainingInput
from workflows.interface import search_attributes
from workflows.interface.contract import (
    CHILD_STEPS,
    GOAL,
    OPERATION,
    PRIORITY,
    UNDERSTOOD,
    WARNINGS,
    OperationType,
    Phase,
)
from workflows.interface.messages import (
    BacktestRequest,
    FinishedSteps,
    ResearchInput,
    ResearchRequest,
)
from workflows.interface.owned import OwnedRequest
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE


@dataclass(frozen=True)
class WorkflowStart:
    """A workflow to be started, with everything that Temporal shows of it."""

    operation_type: OperationType
    argument: FrozenModel
    task_queue: str
    summary: str
    goal: str
    priority: Priority
    attributes: Sequence[SearchAttributePair[Any]]
    warnings: Sequence[str] = ()

    @property
    def memo(self) -> dict[str, Any]:
        """What lists show besides the attributes, and what the request asked for in vain."""
        shown: dict[str, Any] = {
            GOAL: self.goal,
            PRIORITY: self.priority.priority_key,
        }
        if self.operation_type not in CHILD_STEPS:
            shown[OPERATION] = {}
        if self.warnings:
            shown[WARNINGS] = list(self.warnings)
        if isinstance(self.argument, ResearchInput):
            shown[UNDERSTOOD] = self.argument.understood.model_dump(
                mode="json", exclude_defaults=True
            )
        return shown

    @property
    def details(self) -> str:
        """What Temporal's Web UI shows besides the summary."""
        owner = self.priority.fairness_key or "anonymous"
        return f"{self.goal} · owner {owner} · priority {self.priority.priority_key}"


def make_priority(request: OwnedRequest) -> Priority:
    """Return Temporal's priority of this work. Equal priorities are shared between owners."""
    return Priority(priority_key=request.priority, fairness_key=request.owner)


def make_research_start(
    request: ResearchRequest, finished: FinishedSteps | None = None
) -> WorkflowStart:
    """Return the start of a research.

    Args:
        request: What to research.
        finished: The finished steps of the run that this one resumes.
    """
    argument = ResearchInput.of(request, finished)
    earlier = argument.finished or argument.reproduces
    return WorkflowStart(
        OperationType.RESEARCH,
        argument,
        RESEARCH_QUEUE,
        request.headline,
        request.goal,
        make_priority(request),
        search_attributes.make_pairs(
            operation_type=OperationType.RESEARCH,
            phase=Phase.QUEUED,
            symbol=request.symbol,
            symbols=request.symbols,
            owner=request.owner,
            strategy=earlier.spec.name if earlier and earlier.spec else None,
        ),
        argument.warnings or (),
    )


def make_training_start(
    training: TrainingInput, priority: Priority, warnings: Sequence[str] = ()
) -> WorkflowStart:
    """Return the start of a training outside any research."""
    return _make_step_start(
        OperationType.TRAINING, training, training, TRAINING_QUEUE, priority, warnings
    )


def make_backtest_start(
    request: BacktestRequest, priority: Priority, warnings: Sequence[str] = ()
) -> WorkflowStart:
    """Return the start of a backtest outside any research."""
    return _make_step_start(
        OperationType.BACKTEST, request, request.input, BACKTEST_QUEUE, priority, warnings
    )


def _make_step_start(
    operation_type: OperationType,
    argument: FrozenModel,
    step: TrainingInput | BacktestInput,
    task_queue: str,
    priority: Priority,
    warnings: Sequence[str],
) -> WorkflowStart:
    return WorkflowStart(
        operation_type,
        argument,
        task_queue,
        f"{step.data.symbol} {step.data.timeframe} · {step.spec.name}",
        step.spec.name,
        priority,
        search_attributes.make_pairs(
            operation_type=operation_type,
            phase=Phase.QUEUED,
            symbol=step.data.symbol,
            symbols=step.data.symbols,
            owner=priority.fairness_key,
            strategy=step.spec.name,
        ),
        warnings,
    )
