"""The overview: active researches, workers, and how many more researches may be started."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution

from api.agent.budget import budget_left
from api.agent.schemas import (
    ActiveResearch,
    AgentStatus,
    Capacity,
    LastCycle,
    Workers,
)
from api.agent.workers import queue_loads
from api.operations.description import CLOSED_STATUS
from api.operations.list import RUNNING
from api.temporal_calls import RPC_TIMEOUT, answered
from settings import Settings
from storage.ledger import Ledger
from workflows import search_attributes
from workflows.contract import PHASE_OF_STEP, WORKFLOW_NAME, OperationStatus, OperationType, Phase
from workflows.ids import make_step_id
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_SHOWN = 1000

_RESEARCHES = f"WorkflowType = '{WORKFLOW_NAME[OperationType.RESEARCH]}'"
_ENDED_BY_ITSELF = "ExecutionStatus IN ('Completed', 'Failed', 'TimedOut')"

_STEP_OF_PHASE = {phase: step for step, phase in PHASE_OF_STEP.items()}


async def agent_status(
    client: Client, settings: Settings, ledger: Ledger, owner: str | None = None
) -> AgentStatus:
    """Return researches, workers and budget; with an owner, only the researches of that owner.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    researches = _RESEARCHES
    if owner is not None:
        researches += f" AND {search_attributes.OWNER.name} = '{owner}'"
    active, running, last, loads, budget = await asyncio.gather(
        answered(client.count_workflows(f"{researches} AND {RUNNING}", rpc_timeout=RPC_TIMEOUT)),
        _first(client, f"{researches} AND {RUNNING}", _SHOWN),
        _first(client, f"{researches} AND {_ENDED_BY_ITSELF}", 1),
        queue_loads(client),
        budget_left(ledger, settings.daily_budget),
    )
    return AgentStatus(
        status="active" if running else "idle",
        active_researches=[_active(execution) for execution in running],
        last_cycle=_last(last[0]) if last and not running else None,
        workers=Workers(
            training=loads[TRAINING_QUEUE],
            backtesting=loads[BACKTEST_QUEUE],
            agent_design=loads[RESEARCH_QUEUE],
            agent_assessment=loads[RESEARCH_QUEUE],
        ),
        budget=budget,
        capacity=Capacity(active=active.count, limit=settings.max_active_researches),
    )


async def _first(client: Client, query: str, count: int) -> list[WorkflowExecution]:
    found = client.list_workflows(query, page_size=count, rpc_timeout=RPC_TIMEOUT)
    await answered(found.fetch_next_page())
    return list(found.current_page or ())


def _active(execution: WorkflowExecution) -> ActiveResearch:
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


def _last(execution: WorkflowExecution) -> LastCycle:
    completed = CLOSED_STATUS[execution.status] if execution.status else None
    return LastCycle(
        operation_id=execution.id,
        outcome="completed" if completed is OperationStatus.COMPLETED else "failed",
        strategy_name=execution.typed_search_attributes.get(search_attributes.STRATEGY),
        completed_at=execution.close_time,
    )
