"""Metrics of a training by iteration, from the artifact that it writes while it runs."""

from quant.messages.artifacts import Artifact
from quant.messages.training_metrics import TrainingMetrics
from storage.artifacts import ArtifactStore


async def read_metrics(artifacts: ArtifactStore, training_id: str) -> TrainingMetrics | None:
    """Return the metrics of a training so far, or None before its first checkpoint.

    Raises:
        ArtifactsUnavailable: the artifact store does not answer.
    """
    content = await artifacts.open(training_id).fetch(Artifact.TRAINING_METRICS)
    return TrainingMetrics.model_validate_json(content) if content is not None else None
