"""The overview: active researches, workers, budget, and how many more researches may start."""

import asyncio

from temporalio.client import WorkflowExecution

from api.agent.budget import DailyBudget
from api.agent.load import measure_loads
from api.agent.schemas import ActiveResearch, AgentStatus, Capacity, LastCycle, Queues
from api.agent.workers import WorkerList
from api.listing.filters import RUNNING, OperationFilter
from api.listing.operations import OperationList
from workflows.interface import search_attributes
from workflows.interface.contract import (
    PHASE_OF_STEP,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.ids import make_step_id
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_MOST_RESEARCHES = 1000
# A research runs with one child workflow at most.
_MOST_OPERATIONS = 2 * _MOST_RESEARCHES

_ENDED_WITHOUT_CANCEL = "ExecutionStatus IN ('Completed', 'Failed', 'TimedOut')"

_STEP_OF_PHASE = {phase: step for step, phase in PHASE_OF_STEP.items()}


class Overview:
    """Reads the status of the agent.

    Args:
        operations: Lists what runs.
        workers: Knows the slots of the task queues.
        budget: Today's budget.
        max_active_researches: None for no limit.
    """

    def __init__(
        self,
        operations: OperationList,
        workers: WorkerList,
        budget: DailyBudget,
        max_active_researches: int | None,
    ) -> None:
        self._operations = operations
        self._workers = workers
        self._budget = budget
        self._limit = max_active_researches

    async def read(self, owner: str | None = None) -> AgentStatus:
        """Return researches, workers and budget.

        Args:
            owner: Whose researches to return. None for those of all owners.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        researches = OperationFilter(operation_type=OperationType.RESEARCH, owner=owner)
        active, ended, running, slots, budget = await asyncio.gather(
            self._operations.count(f"{researches.make_query()} AND {RUNNING}"),
            self._operations.find(f"{researches.make_query()} AND {_ENDED_WITHOUT_CANCEL}", 1),
            # Everybody's: the load of the workers is that of all owners together.
            self._operations.find(OperationFilter(active_only=True).make_query(), _MOST_OPERATIONS),
            self._workers.read_slots(),
            self._budget.read_left(),
        )
        mine = [
            (operation, execution)
            for operation, execution in running
            if operation.operation_type is OperationType.RESEARCH
            and owner in (None, operation.owner)
        ]
        loads = measure_loads([operation for operation, _ in running], slots)
        return AgentStatus(
            status="active" if mine else "idle",
            active_researches=[_make_active(*each) for each in mine[:_MOST_RESEARCHES]],
            last_cycle=_make_last(*ended[0]) if ended and not mine else None,
            workers=loads,
            queues=Queues(
                research=slots[RESEARCH_QUEUE],
                training=slots[TRAINING_QUEUE],
                backtesting=slots[BACKTEST_QUEUE],
            ),
            budget=budget,
            capacity=Capacity.of(active, self._limit),
        )


def _make_active(operation: OperationInfo, execution: WorkflowExecution) -> ActiveResearch:
    step = _STEP_OF_PHASE.get(operation.phase or Phase.QUEUED)
    return ActiveResearch(
        operation_id=operation.operation_id,
        phase=operation.phase or Phase.QUEUED,
        strategy_name=execution.typed_search_attributes.get(search_attributes.STRATEGY),
        duration_seconds=int(operation.duration_seconds or 0),
        child_operation_id=make_step_id(operation.operation_id, step) if step else None,
        symbol=operation.metadata.symbol,
        owner=operation.owner,
        priority=operation.priority,
        goal=operation.goal,
        progress_percentage=operation.progress.percentage,
        current_step=operation.progress.current_step or None,
        attempt=operation.attempt,
        cancel_requested=operation.cancel_requested,
    )


def _make_last(operation: OperationInfo, execution: WorkflowExecution) -> LastCycle:
    completed = operation.status is OperationStatus.COMPLETED
    return LastCycle(
        operation_id=operation.operation_id,
        outcome="completed" if completed else "failed",
        strategy_name=execution.typed_search_attributes.get(search_attributes.STRATEGY),
        completed_at=operation.completed_at,
    )
