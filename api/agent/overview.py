"""The overview: active researches, workers, budget, and how many more researches may start."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution

from api.agent.budget import DailyBudget
from api.agent.schemas import (
    ActiveResearch,
    AgentStatus,
    Capacity,
    LastCycle,
    Workers,
)
from api.agent.workers import WorkerList
from api.operations.description import CLOSED_STATUS
from api.operations.list import RUNNING
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from workflows import search_attributes
from workflows.contract import PHASE_OF_STEP, WORKFLOW_NAME, OperationStatus, OperationType, Phase
from workflows.ids import make_step_id
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_MOST_RESEARCHES = 1000

_RESEARCHES = f"WorkflowType = '{WORKFLOW_NAME[OperationType.RESEARCH]}'"
_ENDED_WITHOUT_CANCEL = "ExecutionStatus IN ('Completed', 'Failed', 'TimedOut')"

_STEP_OF_PHASE = {phase: step for step, phase in PHASE_OF_STEP.items()}


class Overview:
    """Reads the status of the agent.

    Args:
        client: The client of Temporal.
        workers: Knows the load of the task queues.
        budget: Today's budget.
        max_active_researches: None for no limit.
    """

    def __init__(
        self,
        client: Client,
        workers: WorkerList,
        budget: DailyBudget,
        max_active_researches: int | None,
    ) -> None:
        self._client = client
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
        researches = _RESEARCHES
        if owner is not None:
            researches += f" AND {search_attributes.OWNER.name} = '{owner}'"
        active = f"{researches} AND {RUNNING}"
        count, running, last, loads, budget = await asyncio.gather(
            call_temporal(self._client.count_workflows(active, rpc_timeout=RPC_TIMEOUT)),
            self._list_first(active, _MOST_RESEARCHES),
            self._list_first(f"{researches} AND {_ENDED_WITHOUT_CANCEL}", 1),
            self._workers.read_loads(),
            self._budget.read_left(),
        )
        return AgentStatus(
            status="active" if running else "idle",
            active_researches=[_make_active(execution) for execution in running],
            last_cycle=_make_last(last[0]) if last and not running else None,
            workers=Workers(
                training=loads[TRAINING_QUEUE],
                backtesting=loads[BACKTEST_QUEUE],
                agent_design=loads[RESEARCH_QUEUE],
                agent_assessment=loads[RESEARCH_QUEUE],
            ),
            budget=budget,
            capacity=Capacity.of(count.count, self._limit),
        )

    async def _list_first(self, query: str, count: int) -> list[WorkflowExecution]:
        pages = self._client.list_workflows(query, page_size=count, rpc_timeout=RPC_TIMEOUT)
        await call_temporal(pages.fetch_next_page())
        return list(pages.current_page or ())


def _make_active(execution: WorkflowExecution) -> ActiveResearch:
    attributes = execution.typed_search_attributes
    phase = Phase(attributes.get(search_attributes.RESEARCH_PHASE) or Phase.QUEUED)
    step = _STEP_OF_PHASE.get(phase)
    return ActiveResearch(
        operation_id=execution.id,
        phase=phase,
        strategy_name=attributes.get(search_attributes.STRATEGY),
        duration_seconds=int((datetime.now(UTC) - execution.start_time).total_seconds()),
        child_operation_id=make_step_id(execution.id, step) if step else None,
        symbol=attributes.get(search_attributes.SYMBOL),
        owner=attributes.get(search_attributes.OWNER),
    )


def _make_last(execution: WorkflowExecution) -> LastCycle:
    status = CLOSED_STATUS[execution.status] if execution.status else None
    return LastCycle(
        operation_id=execution.id,
        outcome="completed" if status is OperationStatus.COMPLETED else "failed",
        strategy_name=execution.typed_search_attributes.get(search_attributes.STRATEGY),
        completed_at=execution.close_time,
    )
