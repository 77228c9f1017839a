"""Every error that this project raises on purpose: one tree, which all layers know.

    KtrdrError
    ├── InvalidInput
    │   ├── UnknownSymbol
    │   ├── UnknownStrategy
    │   ├── UnknownUniverse
    │   ├── InvalidData
    │   │   └── DataChanged
    │   └── KeyReused
    ├── CheckpointMismatch
    ├── MissingArtifact
    ├── ArtifactsDeleted
    ├── ArtifactsInUse
    ├── DamagedArtifact
    ├── InconsistentAccount
    ├── ComputeDied
    ├── Unexpected
    ├── NotAuthenticated
    ├── NotAllowed
    ├── KeysUnavailable
    ├── OperationNotFound
    ├── ScheduleNotFound
    ├── ScheduleExists
    ├── WatchNotFound
    ├── NotWatchable
    ├── ExperimentNotFound
    ├── NotResearch
    ├── NotCancellable
    ├── NotResumable
    ├── NotRetryable
    ├── NotReproducible
    ├── AtCapacity
    ├── Busy
    ├── BudgetExhausted
    ├── ModelMisbehaved
    ├── CheckpointNotFound
    ├── NotOffered
    ├── NotFinished
    ├── SourceUnavailable
    ├── UnreadablePayload
    ├── TemporalUnavailable
    ├── LedgerUnavailable
    ├── ArtifactsUnavailable
    └── StartupError

`reason` is the code for programs: the API, the command and failures in Temporal carry it. `field`
names the invalid input. A table in `api/errors.py` gives each class an HTTP status.
"""

from collections.abc import Sequence
from typing import NamedTuple

_LONGEST_QUOTE = 300


class KtrdrError(Exception):
    """Base of all expected errors. The message is written for the user."""

    reason = "internal"

    def __init_subclass__(cls, *, reason: str | None = None) -> None:
        super().__init_subclass__()
        if reason is not None:
            cls.reason = reason

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class FieldProblem(NamedTuple):
    """What is wrong with one field, and in which line if it is one of a file."""

    field: str
    message: str
    line: int | None = None


class InvalidInput(KtrdrError, reason="invalid_input"):
    """A value in a request, a strategy or a setting is not valid.

    Args:
        message: What is wrong, with everything.
        field: The invalid field, or the first of them.
        problems: Each invalid field, if there may be several.
    """

    def __init__(
        self, message: str, *, field: str | None = None, problems: Sequence[FieldProblem] = ()
    ) -> None:
        super().__init__(message, field=field)
        self.problems = problems


class UnknownSymbol(InvalidInput, reason="unknown_symbol"):
    """No bars exist under this symbol."""


class UnknownStrategy(InvalidInput, reason="unknown_strategy"):
    """No strategy file exists under this name."""


class UnknownUniverse(InvalidInput, reason="unknown_universe"):
    """No list of symbols exists under this name."""


class InvalidData(InvalidInput, reason="invalid_data"):
    """Bars cannot be trusted. The message names the file and the row."""


class DataChanged(InvalidData, reason="data_changed"):
    """The bars differ from those that earlier steps of the research used."""


class CheckpointMismatch(KtrdrError, reason="checkpoint_mismatch"):
    """A checkpoint belongs to a different configuration or to different data."""


class MissingArtifact(KtrdrError, reason="missing_artifact"):
    """An artifact of an earlier step is no longer in the store."""


class ArtifactsDeleted(KtrdrError, reason="artifacts_deleted"):
    """The artifacts of the operation were deleted. Its record is kept."""


class ArtifactsInUse(KtrdrError, reason="artifacts_in_use"):
    """The operation is active, or can be resumed, and needs its artifacts."""


class DamagedArtifact(KtrdrError, reason="damaged_artifact"):
    """An artifact of an earlier step is not what that step has stored."""


class InconsistentAccount(KtrdrError, reason="inconsistent_account"):
    """The figures of a simulated account contradict each other and must not be used."""


class ComputeDied(KtrdrError, reason="compute_died"):
    """A compute process ended before it had a result."""


class Unexpected(KtrdrError):
    """An error that nobody has foreseen. Its trace is in the log.

    Args:
        where: What was being done, such as `step train`.
        error: The error. Only the beginning of its text is quoted.
    """

    def __init__(self, where: str, error: BaseException) -> None:
        said = " ".join(str(error).split())[:_LONGEST_QUOTE]
        super().__init__(
            f"An unexpected error in {where}: {type(error).__name__}: {said}. Its trace is in the "
            "log of the worker; please report it."
        )


class NotAuthenticated(KtrdrError, reason="not_authenticated"):
    """The API key is missing or unknown."""


class NotAllowed(KtrdrError, reason="not_allowed"):
    """The API key lacks the required scope, or its owner may not do this."""


class KeysUnavailable(KtrdrError, reason="keys_unavailable"):
    """The file of the API keys cannot be read, so nobody has access."""


class OperationNotFound(KtrdrError, reason="not_found"):
    """No operation has this id."""


class ScheduleNotFound(KtrdrError, reason="not_found"):
    """No schedule has this id."""


class ScheduleExists(KtrdrError, reason="already_exists"):
    """A schedule with this id already exists."""


class WatchNotFound(KtrdrError, reason="not_found"):
    """The strategy of this research is not watched."""


class NotWatchable(KtrdrError, reason="not_watchable"):
    """A research has left no model to watch, or it trades several instruments."""


class ExperimentNotFound(KtrdrError, reason="not_found"):
    """The ledger has no experiment with this id."""


class NotResearch(KtrdrError, reason="not_research"):
    """The operation exists but is not a research."""


class NotCancellable(KtrdrError, reason="not_cancellable"):
    """The operation has already ended."""


class NotResumable(KtrdrError, reason="not_resumable"):
    """The operation is active, has completed, or is a step of a research."""


class NotRetryable(KtrdrError, reason="not_retryable"):
    """The operation is active, has completed, or was already retried."""


class NotReproducible(KtrdrError, reason="not_reproducible"):
    """The record of an experiment does not suffice to repeat it."""


class AtCapacity(KtrdrError, reason="at_capacity"):
    """The limit on active researches is reached."""

    def __init__(self, active_count: int, limit: int) -> None:
        super().__init__(f"{active_count} researches are active; the limit is {limit}.")
        self.active_count = active_count
        self.limit = limit


class Busy(KtrdrError, reason="busy"):
    """Too many requests arrive at once. Nothing has begun."""


class BudgetExhausted(KtrdrError, reason="budget_exhausted"):
    """The budget for language models is spent, for today or for this research."""


class ModelMisbehaved(KtrdrError, reason="model_misbehaved"):
    """A language model gave no valid answer within its corrections."""


class KeyReused(InvalidInput, reason="idempotency_key_reused"):
    """An idempotency key was already used with a different request."""


class CheckpointNotFound(KtrdrError, reason="not_found"):
    """The operation does not exist, or there is nothing that it can be resumed from."""


class NotOffered(KtrdrError, reason="not_offered"):
    """The earlier system had this, and this service has not."""


class NotFinished(KtrdrError, reason="not_finished"):
    """The operation has no result yet."""


class SourceUnavailable(KtrdrError, reason="source_unavailable"):
    """A source of bars does not answer, or its library is not installed."""


class UnreadablePayload(KtrdrError, reason="unreadable_payload"):
    """A payload in Temporal cannot be decrypted: unknown key, or failed authentication."""


class TemporalUnavailable(KtrdrError, reason="temporal_unavailable"):
    """Temporal did not answer in time."""


class LedgerUnavailable(KtrdrError, reason="ledger_unavailable"):
    """The database of the ledger does not answer, or its tables do not exist yet."""


class ArtifactsUnavailable(KtrdrError, reason="artifacts_unavailable"):
    """The artifact store does not answer, or its disk is full."""


class StartupError(KtrdrError, reason="startup"):
    """A process cannot start. The message says what to do."""
