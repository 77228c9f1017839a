"""The names of all artifacts, and where a step keeps its own.

An artifact is stored under the id of the operation that wrote it. The names never change: results
that were stored years ago must stay readable.
"""

from enum import StrEnum
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from errors import DamagedArtifact

T = TypeVar("T")


class Artifact(StrEnum):
    """The name of an artifact."""

    # Of the design.
    TRIALS = "trials.json"
    SEARCH = "search.json"
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
    # Drawn from the dossier when somebody looks at it.
    REPORT = "report.html"
    # Of the campaign.
    CAMPAIGN = "campaign.json"
    # Of a watch, beside the model that it watches.
    WATCH = "watch.json"
    # Of the operation itself, in the place of all of these.
    DELETED = "artifacts.deleted"


def name_slice(first: int, last: int) -> str:
    """Return the name of the artifact of a slice of a search that has finished."""
    return f"trials-{first:05}-{last:05}.json"


def name_unfinished_slice(first: int, last: int) -> str:
    """Return the name of the artifact of a slice of which only some trials are scored."""
    return f"trials-{first:05}-{last:05}.unfinished.json"


def name_proposals(number: int) -> str:
    """Return the name of the artifact of the candidates that a model has proposed for a round."""
    return f"proposed-{number:03}.json"


def name_round(number: int) -> str:
    """Return the name of the artifact of a round of a search that has finished."""
    return f"round-{number:03}.json"


class Workspace(Protocol):
    """The artifacts of one operation, as its steps see them."""

    def write(self, name: str, content: bytes) -> None:
        """Store an artifact atomically: after a crash it exists in full or not at all."""

    def read(self, name: str) -> bytes | None:
        """Return the artifact, or None if it was never written."""


def parse_artifact(kind: type[T], content: bytes, name: str) -> T:
    """Return the value that an artifact holds as JSON.

    Args:
        kind: Type of the value.
        content: The artifact.
        name: Its name, for the message.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    try:
        return TypeAdapter(kind).validate_json(content)
    except ValidationError as error:
        raise DamagedArtifact(
            f"{name} is damaged: {error.error_count():,} of its values are not what was stored. "
            "Start over with `ktrdr retry`."
        ) from None
