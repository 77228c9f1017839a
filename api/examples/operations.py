"""Example answers about operations."""

from pydantic import BaseModel

from api.examples.research import (
    BEGAN_AT,
    DESIGN_ID,
    ENDED_AT,
    RESEARCH_ID,
    STRATEGY,
    TRAINING_BEGAN_AT,
    TRAINING_ID,
)
from api.operations.schemas import (
    BatchCancel,
    BatchCancelResponse,
    CancelAccepted,
    ChildrenResponse,
    Epoch,
    EpochMetrics,
    MetricsResponse,
    OperationCancelled,
    OperationCancelResponse,
    OperationListResponse,
    OperationMetrics,
    OperationResponse,
    OperationSummary,
    ResultsResponse,
    Resumed,
    ResumedFrom,
    ResumeResponse,
)
from quant.messages.progress import Progress
from workflows.interface.contract import (
    Attempt,
    AttemptState,
    ChildOperation,
    OperationInfo,
    OperationMetadata,
    OperationStatus,
    OperationType,
    Phase,
    PhaseEntered,
)
from workflows.interface.ids import make_step_id
from workflows.interface.messages import BacktestSummary, ResearchResult

_OPERATION = OperationInfo(
    operation_id=RESEARCH_ID,
    operation_type=OperationType.RESEARCH,
    status=OperationStatus.RUNNING,
    phase=Phase.TRAINING,
    created_at=BEGAN_AT,
    started_at=BEGAN_AT,
    duration_seconds=4.2,
    progress=Progress(percentage=38.0, current_step="Training model... Fold 3 of 5"),
    attempt=Attempt(state=AttemptState.RUNNING, since=TRAINING_BEGAN_AT),
    step_seconds_left=3.1,
    metadata=OperationMetadata(
        symbol="NASDAQ",
        timeframe="1d",
        parameters={"phase": "training", "training_op_id": TRAINING_ID, "trials": 30},
    ),
    owner="ada",
    priority=3,
    goal="momentum",
    children=[
        ChildOperation(
            operation_id=DESIGN_ID,
            operation_type=OperationType.DESIGN,
            status=OperationStatus.COMPLETED,
            started_at=BEGAN_AT,
            completed_at=TRAINING_BEGAN_AT,
        ),
        ChildOperation(
            operation_id=TRAINING_ID,
            operation_type=OperationType.TRAINING,
            status=OperationStatus.RUNNING,
            progress=Progress(percentage=40.0, current_step="Fold 3 of 5"),
            started_at=TRAINING_BEGAN_AT,
        ),
    ],
    phases=[
        PhaseEntered(phase=Phase.DESIGNING, started_at=BEGAN_AT),
        PhaseEntered(phase=Phase.TRAINING, started_at=TRAINING_BEGAN_AT),
    ],
)
_SUMMARY = OperationSummary(
    operation_id=RESEARCH_ID,
    operation_type=OperationType.RESEARCH,
    status=OperationStatus.COMPLETED,
    created_at=BEGAN_AT,
    completed_at=ENDED_AT,
    progress_percentage=100.0,
    current_step="Complete",
    phase=Phase.DONE,
    symbol="NASDAQ",
    owner="ada",
    priority=3,
    goal="momentum",
    verdict="poor",
    duration_seconds=8.0,
)
_STEP = OperationSummary(
    operation_id=TRAINING_ID,
    operation_type=OperationType.TRAINING,
    status=OperationStatus.COMPLETED,
    created_at=TRAINING_BEGAN_AT,
    completed_at=ENDED_AT,
    progress_percentage=100.0,
    duration_seconds=5.0,
)

EXAMPLES: tuple[BaseModel, ...] = (
    CancelAccepted(
        operation_id=RESEARCH_ID,
        child_cancelled=TRAINING_ID,
        status="cancelled",
        message="Research cancelled",
    ),
    OperationCancelResponse(
        data=OperationCancelled(
            operation_id=RESEARCH_ID,
            status="cancelled",
            cancelled_at=ENDED_AT,
            cancellation_reason="no longer needed",
            forced=False,
            children_cancelled=[TRAINING_ID],
            task_cancelled=True,
            remote_cancelled=True,
        )
    ),
    BatchCancelResponse(
        data=BatchCancel(dry_run=True, matched=1, operation_ids=[RESEARCH_ID], batch_id=None)
    ),
    OperationResponse(data=_OPERATION),
    OperationListResponse(data=[_SUMMARY], total_count=1, active_count=0),
    ChildrenResponse(data=[_STEP], total_count=1, active_count=0),
    ResultsResponse(
        operation_id=RESEARCH_ID,
        operation_type=OperationType.RESEARCH,
        status=OperationStatus.COMPLETED,
        results=ResearchResult(
            strategy_name=STRATEGY,
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
            model_path=f"{TRAINING_ID}/model.txt",
            model_sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            report_path=f"{make_step_id(RESEARCH_ID, OperationType.ASSESSMENT)}/report.html",
        ),
    ),
    MetricsResponse(
        data=OperationMetrics(
            operation_id=TRAINING_ID,
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
            operation_id=RESEARCH_ID,
            resumed_from=ResumedFrom(
                checkpoint_type="cancellation", created_at=ENDED_AT, epoch=240
            ),
        )
    ),
)
