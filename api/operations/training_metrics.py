"""Metrics of a training by iteration, from the artifact that it writes while it runs."""

from pydantic import BaseModel, Field

from quant.messages.steps import METRICS_ARTIFACT, IterationMetrics, TrainingMetrics
from storage.artifacts import ArtifactStore


class Epoch(BaseModel):
    """One boosting iteration. Losses are binary cross-entropies."""

    epoch: int
    fold: int | None = Field(description="Counted from 1; null for the final model")
    train_loss: float
    val_loss: float | None = Field(description="Null for the final model, which has no test bars")

    @classmethod
    def of(cls, point: IterationMetrics) -> "Epoch":
        """Convert to the field names of the API."""
        return cls(
            epoch=point.iteration,
            fold=point.fold,
            train_loss=point.train_loss,
            val_loss=point.valid_loss,
        )


class EpochMetrics(BaseModel):
    """A training so far; empty for an operation that does not train."""

    epochs: list[Epoch] = []
    best_epoch: int | None = Field(None, description="Iteration with the lowest validation loss")
    best_val_loss: float | None = None
    total_epochs_planned: int = Field(0, description="Iterations of all folds and the final model")
    total_epochs_completed: int = 0

    @classmethod
    def of(cls, metrics: TrainingMetrics) -> "EpochMetrics":
        """Summarise the metrics of a training."""
        validated = [point for point in metrics.history if point.valid_loss is not None]
        best = min(validated, key=lambda point: point.valid_loss or 0.0, default=None)
        return cls(
            epochs=[Epoch.of(point) for point in metrics.history],
            best_epoch=best and best.iteration,
            best_val_loss=best and best.valid_loss,
            total_epochs_planned=metrics.iterations_planned,
            total_epochs_completed=metrics.iterations_completed,
        )


async def read_metrics(artifacts: ArtifactStore, training_id: str) -> TrainingMetrics | None:
    """Return the metrics of a training so far, or None before its first checkpoint.

    Raises:
        ArtifactsUnavailable: the artifact store does not answer.
    """
    content = await artifacts.operation(training_id).fetch(METRICS_ARTIFACT)
    return TrainingMetrics.model_validate_json(content) if content is not None else None
