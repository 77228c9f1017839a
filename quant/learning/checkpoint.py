"""The checkpoint from which an interrupted training continues."""

import base64
import hashlib
from typing import Final

import lightgbm
import numpy as np
import talib
from pydantic import ValidationError

from errors import CheckpointMismatch
from quant.bars.bars import Floats
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.base import FrozenModel
from quant.messages.strategy import StrategySpec
from quant.messages.training_metrics import FoldMetrics, IterationMetrics
from quant.universe.universe import Universe

FORMAT: Final = "1"


class FinishedFold(FrozenModel):
    """A finished fold, without its model."""

    metrics: FoldMetrics
    baseline_log_loss: float
    probabilities: str
    """Probabilities of the test bars, encoded by `encode`."""


class TrainingState(FrozenModel):
    """A training at the end of a chunk.

    Its stage is the fold after the finished ones, or the final model after all folds.
    """

    identity: dict[str, str]
    folds: tuple[FinishedFold, ...] = ()
    history: tuple[IterationMetrics, ...] = ()
    model: str = ""
    """Text of the model of this stage; empty before its first chunk."""
    iteration: int = 0


class _File(FrozenModel):
    """The artifact: the state as JSON text, and a digest that shows damage."""

    sha256: str
    state: str


class CorruptCheckpoint(ValueError):
    """The checkpoint is damaged. Training must start over."""


def identify(development: Universe, spec: StrategySpec, seed: int) -> dict[str, str]:
    """Return all that the bits of a model depend on, under names for error messages."""
    return {
        "checkpoint format": FORMAT,
        "strategy": spec.fingerprint(),
        "seed": str(seed),
        "bars": development.content_hash,
        "LightGBM": lightgbm.__version__,
        "NumPy": np.__version__,
        "TA-Lib": talib.__version__,
    }


def save(state: TrainingState, workspace: Workspace) -> None:
    """Write the state to the workspace."""
    content = state.model_dump_json()
    file = _File(sha256=hashlib.sha256(content.encode()).hexdigest(), state=content)
    workspace.write(Artifact.CHECKPOINT, file.model_dump_json().encode())


def restore(expected: dict[str, str], workspace: Workspace) -> TrainingState | None:
    """Return the state of an earlier attempt; None if there is none.

    Args:
        expected: Identity of the training that continues.
        workspace: Where the earlier attempt wrote.

    Raises:
        CheckpointMismatch: The checkpoint belongs to another training; the message says what
            differs.
        CorruptCheckpoint: The checkpoint is damaged.
    """
    content = workspace.read(Artifact.CHECKPOINT)
    if content is None:
        return None
    try:
        file = _File.model_validate_json(content)
        if hashlib.sha256(file.state.encode()).hexdigest() != file.sha256:
            raise CorruptCheckpoint("the digest is wrong")
        state = TrainingState.model_validate_json(file.state)
    except ValidationError as error:
        raise CorruptCheckpoint("it is not a checkpoint") from error
    differences = [
        f"{name} {state.identity.get(name)} instead of {value}"
        for name, value in expected.items()
        if state.identity.get(name) != value
    ]
    if differences:
        raise CheckpointMismatch(
            f"The checkpoint belongs to another training: {'; '.join(differences)}."
        )
    return state


def encode(values: Floats) -> str:
    """Encode an array, shape (values,), as base64 of little-endian float64."""
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def decode(text: str) -> Floats:
    """Decode the text that `encode` returns into shape (values,)."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)
