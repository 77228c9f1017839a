"""Example answers about trainings, backtests, models, checkpoints and artifacts."""

from pydantic import BaseModel

from api.artifacts.schemas import (
    ArtifactFile,
    DeletedArtifacts,
    DeletedArtifactsResponse,
    KeptArtifacts,
    OldArtifactsDeleted,
    OldArtifactsDeletedResponse,
    StoredArtifacts,
    StoredArtifactsResponse,
)
from api.checkpoints.schemas import (
    Checkpoint,
    CheckpointDeleted,
    CheckpointListResponse,
    CheckpointResponse,
    CheckpointSummary,
)
from api.examples.research import BEGAN_AT, ENDED_AT, RESEARCH_ID
from api.steps.schemas import ModelListResponse, ModelSummary, StepStarted, TrainingPerformance
from workflows.interface.contract import OperationType

_TRAINING_ID = "op_training_20261124_091509_0d15ea5e"
_MODEL_PATH = f"{_TRAINING_ID}/model.txt"

EXAMPLES: tuple[BaseModel, ...] = (
    StepStarted(
        operation_id=_TRAINING_ID,
        task_id=_TRAINING_ID,
        status="training_started",
        message="Training started",
        strategy_name="momentum",
        symbol="NASDAQ",
        symbols=["NASDAQ"],
        timeframe="1d",
        timeframes=["1d"],
        start_date=None,
        end_date=None,
    ),
    ModelListResponse(
        models=[
            ModelSummary(
                model_id=_TRAINING_ID,
                model_name="momentum",
                symbol="NASDAQ",
                timeframe="1d",
                created_at=ENDED_AT,
                test_accuracy=0.52,
                model_path=_MODEL_PATH,
                description="100 iterations on the bars of NASDAQ 1d",
            )
        ],
        total_count=1,
    ),
    TrainingPerformance(
        task_id=_TRAINING_ID,
        status="completed",
        training_metrics={"epochs_completed": 100, "final_val_loss": 0.6926},
        test_metrics={"test_accuracy": 0.52, "precision": 0.53, "recall": 0.6, "f1_score": 0.56},
        data_summary={"symbols": ["NASDAQ"], "timeframes": ["1d"], "total_samples": 3521},
        model_path=_MODEL_PATH,
    ),
    CheckpointListResponse(
        data=[
            CheckpointSummary(
                operation_id=RESEARCH_ID,
                operation_type=OperationType.RESEARCH,
                checkpoint_type="cancellation",
                created_at=ENDED_AT,
                state_summary={"step": "training", "epoch": 240},
                artifacts_size_bytes=18_204,
            )
        ],
        total_count=1,
    ),
    CheckpointResponse(
        data=Checkpoint(
            operation_id=RESEARCH_ID,
            operation_type=OperationType.RESEARCH,
            checkpoint_type="cancellation",
            created_at=BEGAN_AT,
            state={"step": "training", "epoch": 240, "total_epochs": 600, "train_loss": 0.6883},
            artifacts_path=f"artifacts/{RESEARCH_ID}.training/checkpoint.json",
        )
    ),
    CheckpointDeleted(message=f"The checkpoint of {RESEARCH_ID} is deleted."),
    StoredArtifactsResponse(
        data=StoredArtifacts(
            operation_id=RESEARCH_ID,
            artifacts=[
                ArtifactFile(
                    operation_id=f"{RESEARCH_ID}.training",
                    name="model.txt",
                    size_bytes=48_120,
                    modified_at=ENDED_AT,
                )
            ],
            size_bytes=48_120,
            deleted_at=None,
        )
    ),
    DeletedArtifactsResponse(
        data=DeletedArtifacts(
            operation_id=RESEARCH_ID, artifacts=9, size_bytes=812_400, deleted_at=ENDED_AT
        )
    ),
    OldArtifactsDeletedResponse(
        data=OldArtifactsDeleted(
            dry_run=False,
            operation_ids=[RESEARCH_ID],
            artifacts=9,
            size_bytes=812_400,
            kept=[
                KeptArtifacts(
                    operation_id=_TRAINING_ID,
                    reason="artifacts_in_use",
                    message=f"{_TRAINING_ID} is active and needs its artifacts; cancel it first.",
                )
            ],
            more=False,
        )
    ),
)
