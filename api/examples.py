"""Example answers for the OpenAPI schema, validated by their own models."""

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from api.agent.schemas import (
    ActiveResearch,
    AgentStatus,
    Budget,
    BudgetLeft,
    Capacity,
    QueueLoad,
    Triggered,
    WorkerInfo,
    Workers,
    WorkerState,
)
from api.operations.schemas import (
    BatchCancel,
    BatchCancelResponse,
    CancelAccepted,
    ChildrenResponse,
    Difference,
    Epoch,
    EpochMetrics,
    MetricsResponse,
    OperationCancelled,
    OperationCancelResponse,
    OperationListResponse,
    OperationMetrics,
    OperationResponse,
    OperationSummary,
    Reproduced,
    ResultsResponse,
    Resumed,
    ResumedFrom,
    ResumeResponse,
    StepStarted,
)
from api.schedules.schemas import (
    ScheduledRun,
    ScheduleInfo,
    ScheduleListResponse,
    ScheduleRequest,
    ScheduleResponse,
    ScheduleSummary,
)
from api.schemas import (
    ExperimentListResponse,
    ExperimentResponse,
    Health,
    HypothesisListResponse,
    LeaderboardResponse,
    Readiness,
    StrategyListResponse,
    StrategyResponse,
)
from quant.messages.hypotheses import Condition
from quant.messages.progress import Progress
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.files import StrategyEntry
from storage.records import Experiment, ExperimentSummary, HypothesisRecord, SpendingEvent, Standing
from workflows.contract import (
    ChildOperation,
    OperationInfo,
    OperationMetadata,
    OperationStatus,
    OperationType,
    Phase,
    PhaseEntered,
)
from workflows.ids import make_step_id
from workflows.messages import BacktestSummary, ResearchRequest, ResearchResult
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_BEGIN = datetime(2026, 11, 24, 9, 15, 9, tzinfo=UTC)
_TRAINING_BEGAN = _BEGIN + timedelta(seconds=3)
_END = _BEGIN + timedelta(seconds=8)
_ID = "op_agent_research_20261124_091509_5bdbbf47"
_DESIGN_ID = make_step_id(_ID, OperationType.DESIGN)
_TRAINING_ID = make_step_id(_ID, OperationType.TRAINING)
_STRATEGY = "nasdaq-momentum"

_OPERATION = OperationInfo(
    operation_id=_ID,
    operation_type=OperationType.RESEARCH,
    status=OperationStatus.RUNNING,
    phase=Phase.TRAINING,
    created_at=_BEGIN,
    started_at=_BEGIN,
    progress=Progress(percentage=38.0, current_step="Training model..."),
    metadata=OperationMetadata(
        symbol="NASDAQ",
        timeframe="1d",
        parameters={"phase": "training", "training_op_id": _TRAINING_ID, "trials": 30},
    ),
    owner="ada",
    priority=3,
    children=[
        ChildOperation(
            operation_id=_DESIGN_ID,
            operation_type=OperationType.DESIGN,
            status=OperationStatus.COMPLETED,
            started_at=_BEGIN,
            completed_at=_TRAINING_BEGAN,
        ),
        ChildOperation(
            operation_id=_TRAINING_ID,
            operation_type=OperationType.TRAINING,
            status=OperationStatus.RUNNING,
            progress=Progress(percentage=40.0, current_step="Fold 3 of 5"),
            started_at=_TRAINING_BEGAN,
        ),
    ],
    phases=[
        PhaseEntered(phase=Phase.DESIGNING, started_at=_BEGIN),
        PhaseEntered(phase=Phase.TRAINING, started_at=_TRAINING_BEGAN),
    ],
)
_SUMMARY = OperationSummary(
    operation_id=_ID,
    operation_type=OperationType.RESEARCH,
    status=OperationStatus.COMPLETED,
    created_at=_BEGIN,
    completed_at=_END,
    progress_percentage=100.0,
    current_step="Complete",
    phase=Phase.DONE,
    symbol="NASDAQ",
    owner="ada",
    verdict="poor",
    duration_seconds=8.0,
)
_STEP = OperationSummary(
    operation_id=_TRAINING_ID,
    operation_type=OperationType.TRAINING,
    status=OperationStatus.COMPLETED,
    created_at=_TRAINING_BEGAN,
    completed_at=_END,
    progress_percentage=100.0,
    duration_seconds=5.0,
)
_FREE = QueueLoad(busy=0, total=2, waiting=0)
_SCHEDULE = ScheduleRequest(
    schedule_id="nightly",
    cron="30 6 * * 1-5",
    time_zone="Europe/Berlin",
    research=ResearchRequest(symbol="NASDAQ", trials=100),
)
_SCHEDULE_SUMMARY = ScheduleSummary(
    **_SCHEDULE.model_dump(), next_runs=[_BEGIN + timedelta(days=1)]
)
_WORKER = WorkerInfo(
    worker_id="5bdbbf47c0ffee",
    worker_type=TRAINING_QUEUE,
    status=WorkerState.AVAILABLE,
    busy=1,
    total=2,
    host="worker-1",
)

_EXPERIMENT = ExperimentSummary(
    operation_id=_ID,
    status="completed",
    owner="ada",
    symbol="NASDAQ",
    timeframe="1d",
    designer="search",
    strategy_name=_STRATEGY,
    verdict="poor",
    sharpe=-0.21,
    sharpe_low=-0.98,
    sharpe_high=0.55,
    deflated_sharpe=0.08,
    trials_ever=12,
    development_sharpe=0.41,
    total_return=-0.034,
    cost=None,
    finished_at=_END,
)

_ANSWERS: tuple[BaseModel, ...] = (
    Triggered(operation_id=_ID, model="search"),
    AgentStatus(
        status="active",
        active_researches=[
            ActiveResearch(
                operation_id=_ID,
                phase=Phase.TRAINING,
                strategy_name=_STRATEGY,
                duration_seconds=4,
                child_operation_id=_TRAINING_ID,
                symbol="NASDAQ",
                owner="ada",
            )
        ],
        last_cycle=None,
        workers=Workers(
            training=QueueLoad(busy=1, total=2, waiting=0),
            backtesting=_FREE,
            agent_design=_FREE,
            agent_assessment=_FREE,
        ),
        budget=BudgetLeft(remaining=18.2, daily_limit=20.0),
        capacity=Capacity(active=1, limit=50),
    ),
    CancelAccepted(
        operation_id=_ID,
        child_cancelled=_TRAINING_ID,
        status="cancelled",
        message="Research cancelled",
    ),
    OperationCancelResponse(
        data=OperationCancelled(
            operation_id=_ID,
            status="cancelled",
            cancelled_at=_END,
            cancellation_reason="no longer needed",
            forced=False,
            children_cancelled=[_TRAINING_ID],
        )
    ),
    BatchCancelResponse(
        data=BatchCancel(dry_run=True, matched=1, operation_ids=[_ID], batch_id=None)
    ),
    OperationResponse(data=_OPERATION),
    OperationListResponse(data=[_SUMMARY], total_count=1, active_count=0),
    ChildrenResponse(data=[_STEP], total_count=1, active_count=0),
    ResultsResponse(
        operation_id=_ID,
        operation_type=OperationType.RESEARCH,
        status=OperationStatus.COMPLETED,
        results=ResearchResult(
            strategy_name=_STRATEGY,
            verdict="poor",
            summary="The holdout return is negative after cost.",
            seed=7,
            data_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            gate_rejection_reason=None,
            backtest_result=BacktestSummary(
                sharpe_ratio=-0.21,
                total_return=-0.034,
                max_drawdown=0.127,
                win_rate=0.48,
                total_trades=61,
                benchmark_return=0.112,
                total_return_at_cost={"0": 0.021, "1": -0.034, "2": -0.086},
            ),
            statistics=None,
            model_path=f"{_TRAINING_ID}/model.txt",
            model_sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            report_path=f"{make_step_id(_ID, OperationType.ASSESSMENT)}/report.html",
        ),
    ),
    MetricsResponse(
        data=OperationMetrics(
            operation_id=_TRAINING_ID,
            operation_type=OperationType.TRAINING,
            metrics=EpochMetrics(
                epochs=[Epoch(epoch=1, fold=1, train_loss=0.6921, val_loss=0.6926)],
                best_epoch=1,
                best_val_loss=0.6926,
                total_epochs_planned=600,
                total_epochs_completed=1,
            ),
        )
    ),
    ResumeResponse(
        data=Resumed(
            operation_id=_ID,
            resumed_from=ResumedFrom(checkpoint_type="cancellation", created_at=_END, epoch=240),
        )
    ),
    StepStarted(
        operation_id="op_training_20261124_091509_0d15ea5e",
        task_id="op_training_20261124_091509_0d15ea5e",
        status="training_started",
        message="Training started",
        strategy_name="momentum",
        symbol="NASDAQ",
        timeframe="1d",
    ),
    ScheduleListResponse(data=[_SCHEDULE_SUMMARY], total_count=1),
    ScheduleResponse(
        data=ScheduleInfo(
            **_SCHEDULE_SUMMARY.model_dump(),
            created_at=_BEGIN,
            recent_runs=[ScheduledRun(operation_id=_ID, scheduled_at=_BEGIN, started_at=_BEGIN)],
            running=[],
            runs=1,
            skipped=0,
        )
    ),
    _WORKER,
    Budget(
        date=_BEGIN.date(),
        daily_limit=20.0,
        today_spend=1.8,
        remaining=18.2,
        budget_disabled=False,
        cycles_affordable=121,
        spend_events=[
            SpendingEvent(
                call_id="4f1c2a9b",
                operation_id=_ID,
                model="anthropic:claude-sonnet-5-5",
                cost=0.0231,
                settled=True,
                created_at=_BEGIN,
                input_tokens=4210,
                output_tokens=698,
                cache_read_tokens=2100,
            )
        ],
    ),
    ExperimentListResponse(data=[_EXPERIMENT], total_count=1),
    LeaderboardResponse(
        data=[
            Standing(
                **_EXPERIMENT.model_dump(exclude={"deflated_sharpe", "trials_ever"}),
                deflated_sharpe=0.05,
                deflated_sharpe_then=_EXPERIMENT.deflated_sharpe,
                trials_ever=4_120,
                holdout_looks=31,
            )
        ],
        total_count=1,
    ),
    ExperimentResponse(
        data=Experiment(
            operation_id=_ID,
            status="completed",
            owner="ada",
            symbol="NASDAQ",
            timeframe="1d",
            seed=7,
            designer="search",
            verdict="poor",
            started_at=_BEGIN,
            finished_at=_END,
        )
    ),
    Reproduced(
        operation_id="op_agent_research_20261125_101500_0a1b2c3d",
        reproduces=_ID,
        identical=True,
        differences=[],
        versions=[Difference(name="numpy", recorded="2.4.5", reproduced="2.4.6")],
    ),
    HypothesisListResponse(
        data=[
            HypothesisRecord(
                hypothesis_id="hyp_9f86d081884c7d65",
                symbol="NASDAQ",
                timeframe="1d",
                statement="Long trades earned 8.1% and short ones lost 9.0%: try long only.",
                test=(Condition(positions="long_only"),),
                status="open",
                by_holdout=True,
                operation_id=_ID,
                created_at=_END,
                tested_by=None,
                tested_at=None,
            )
        ]
    ),
    StrategyListResponse(
        data=[StrategyEntry(name="momentum", built_in=True, description="Follows the trend")]
    ),
    StrategyResponse(
        data=StrategySpec(name="momentum", features=(FeatureSpec(kind="return", period=20),))
    ),
    Health(version="0.1.0"),
    Readiness(
        ready=True,
        temporal=True,
        ledger=True,
        workers={RESEARCH_QUEUE: 1, TRAINING_QUEUE: 1, BACKTEST_QUEUE: 1},
    ),
)

# By the name of the model, which is that of its component in the schema.
ANSWERS = {type(answer).__name__: answer.model_dump(mode="json") for answer in _ANSWERS}
