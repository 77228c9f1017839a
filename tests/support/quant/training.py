"""A small training, whole or interrupted."""

from pathlib import Path

import pytest

from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.learning.training import train
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.progress import Progress, ignore_report
from quant.messages.steps import TrainingResult
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from storage.artifacts import ArtifactStore, OperationArtifacts

ITERATIONS = 120
SPEC = StrategySpec(
    name="sampled",
    features=(
        FeatureSpec(kind="rsi", period=14),
        FeatureSpec(kind="return", period=20),
        FeatureSpec(kind="volatility", period=10),
    ),
    model=ModelSpec(
        num_iterations=ITERATIONS, num_leaves=7, bagging_fraction=0.7, feature_fraction=0.7
    ),
)
ARTIFACTS = (Artifact.MODEL, Artifact.TRAINING_METRICS)


class Interrupted(Exception):
    """Ends an attempt."""


def bars() -> Bars:
    """Return the first bars of the S&P 500."""
    return load_bars(DataSource(), None).slice(0, 1500)


def workspace(directory: Path) -> OperationArtifacts:
    """Return the artifacts of the training in this directory."""
    return ArtifactStore(str(directory)).open("training")


def run(
    directory: Path, spec: StrategySpec = SPEC, seed: int = 7, checkpoint_seconds: float = 0.0
) -> TrainingResult:
    """Train, or continue from the checkpoint in this directory."""
    everything = bars()
    return train(
        everything.split()[0],
        spec,
        seed,
        workspace(directory),
        ignore_report,
        data=everything.describe(),
        checkpoint_seconds=checkpoint_seconds,
    )


def interrupt(directory: Path, after: int) -> None:
    """Train, and stop after this iteration, counted over all models."""

    def stop(progress: Progress) -> None:
        if progress.items_processed >= after:
            raise Interrupted

    everything = bars()
    with pytest.raises(Interrupted):
        train(
            everything.split()[0],
            SPEC,
            7,
            workspace(directory),
            stop,
            data=everything.describe(),
            checkpoint_seconds=0.0,
        )


def artifacts(directory: Path) -> dict[str, bytes | None]:
    """Return the artifacts of a training."""
    return {name: workspace(directory).read(name) for name in ARTIFACTS}


def assert_same(
    directory: Path, result: TrainingResult, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    """Check that two trainings have equal results and artifacts, bit for bit."""
    expected_directory, expected = uninterrupted
    assert artifacts(directory) == artifacts(expected_directory)
    assert result.model_copy(update={"resumed_from_iteration": 0}) == expected
