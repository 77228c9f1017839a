"""Example answers about the agent, its workers and its budget."""

from pydantic import BaseModel

from api.agent.schemas import (
    ActiveResearch,
    AgentStatus,
    Budget,
    BudgetLeft,
    Capacity,
    Preview,
    QueueLoad,
    Queues,
    ResearchCost,
    Slots,
    Triggered,
    WorkerInfo,
    Workers,
    WorkerState,
    WorkerType,
)
from api.examples.research import BEGAN_AT, RESEARCH_ID, STRATEGY, TRAINING_ID
from storage.ledger.records import SpendingEvent
from workflows.interface.contract import Attempt, AttemptState, OperationType, Phase
from workflows.interface.messages import ResearchRequest

_FREE = QueueLoad(busy=0, total=2, waiting=0)
_UNDERSTOOD = ResearchRequest(symbol="NASDAQ", trials=30).understood
_WORKER = WorkerInfo(
    worker_id="5bdbbf47c0ffee",
    worker_type=WorkerType.TRAINING,
    operation_types=[OperationType.TRAINING],
    status=WorkerState.AVAILABLE,
    busy=1,
    total=2,
    host="worker-1",
    current_operation_id=TRAINING_ID,
    last_health_check=BEGAN_AT,
)

EXAMPLES: tuple[BaseModel, ...] = (
    Triggered(
        operation_id=RESEARCH_ID,
        model="search",
        understood=_UNDERSTOOD,
        warnings=["Not understood in the brief, so without effect: 'stop loss 5%'."],
    ),
    Preview(
        understood=_UNDERSTOOD,
        sentence=_UNDERSTOOD.sentence,
        warnings=[],
        model="search",
        cost=ResearchCost(symbols=["NASDAQ"], timeframe="1d", trials=30, trials_ever=130, look=5),
    ),
    AgentStatus(
        status="active",
        active_researches=[
            ActiveResearch(
                operation_id=RESEARCH_ID,
                phase=Phase.TRAINING,
                strategy_name=STRATEGY,
                duration_seconds=4,
                child_operation_id=TRAINING_ID,
                symbol="NASDAQ",
                owner="ada",
                priority=3,
                goal="momentum",
                progress_percentage=38.0,
                current_step="Training model... Fold 3 of 5",
                attempt=Attempt(state=AttemptState.RUNNING, since=BEGAN_AT),
            )
        ],
        last_cycle=None,
        workers=Workers(
            training=QueueLoad(busy=1, total=2, waiting=0),
            backtesting=_FREE,
            agent_design=_FREE,
            agent_assessment=_FREE,
        ),
        queues=Queues(
            research=Slots(busy=0, total=2),
            training=Slots(busy=1, total=2),
            backtesting=Slots(busy=0, total=2),
        ),
        budget=BudgetLeft(remaining=18.2, daily_limit=20.0),
        capacity=Capacity(active=1, limit=50),
    ),
    _WORKER,
    Budget(
        date=BEGAN_AT.date(),
        daily_limit=20.0,
        today_spend=1.8,
        remaining=18.2,
        budget_disabled=False,
        cycles_affordable=121,
        spend_events=[
            SpendingEvent(
                call_id="4f1c2a9b",
                operation_id=RESEARCH_ID,
                model="anthropic:claude-sonnet-5-5",
                cost=0.0231,
                settled=True,
                created_at=BEGAN_AT,
                input_tokens=4210,
                output_tokens=698,
                cache_read_tokens=2100,
            )
        ],
    ),
)
