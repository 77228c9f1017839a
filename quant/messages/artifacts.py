"""The names of all artifacts, and where a step keeps its own.

An artifact is stored under the id of the operation that wrote it. The names never change: results
that were stored years ago must stay readable.
"""

from enum import StrEnum
from typing import Protocol


class Artifact(StrEnum):
    """The name of an artifact."""

    # Of the design.
    TRIALS = "trials.json"
    MEMORY = "memory.json"
    CONVERSATION = "conversation.json"
    # Of the training.
    CHECKPOINT = "checkpoint.json"
    TRAINING_METRICS = "metrics.json"
    CHECKPOINT_DELETED = "checkpoint.deleted"
    MODEL = "model.txt"
    WALK_FORWARD = "walk_forward.json"
    # Of the backtest.
    CURVES = "backtest.json"
    # Of the assessment.
    ASSESSMENT = "assessment.json"
    DOSSIER = "report.json"
    REPORT = "report.html"


class Workspace(Protocol):
    """The artifacts of one operation, as its steps see them."""

    def write(self, name: str, content: bytes) -> None:
        """Store an artifact atomically: after a crash it exists in full or not at all."""

    def read(self, name: str) -> bytes | None:
        """Return the artifact, or None if it was never written."""
