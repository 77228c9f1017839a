"""Every error that this project raises on purpose: one tree, which all layers know.

    KtrdrError
    ├── InvalidInput
    │   ├── UnknownSymbol
    │   ├── UnknownStrategy
    │   ├── InvalidData
    │   │   └── DataChanged
    │   └── KeyReused
    ├── CheckpointMismatch
    ├── MissingArtifact
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

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class FieldProblem(NamedTuple):
    """What is wrong with one field, and in which line if it is one of a file."""

    field: str
    message: str
    line: int | None = None


class InvalidInput(KtrdrError):
    """A value in a request, a strategy or a setting is not valid.

    Args:
        message: What is wrong, with everything.
        field: The invalid field, or the first of them.
        problems: Each invalid field, if there may be several.
    """

    reason = "invalid_input"

    def __init__(
        self, message: str, *, field: str | None = None, problems: Sequence[FieldProblem] = ()
    ) -> None:
        super().__init__(message, field=field)
        self.problems = problems


class UnknownSymbol(InvalidInput):
    """No bars exist under this symbol."""

    reason = "unknown_symbol"


class UnknownStrategy(InvalidInput):
    """No strategy file exists under this name."""

    reason = "unknown_strategy"


class InvalidData(InvalidInput):
    """Bars cannot be trusted. The message names the file and the row."""

    reason = "invalid_data"


class DataChanged(InvalidData):
    """The bars differ from those that earlier steps of the research used."""

    reason = "data_changed"


class CheckpointMismatch(KtrdrError):
    """A checkpoint belongs to a different configuration or to different data."""

    reason = "checkpoint_mismatch"


class MissingArtifact(KtrdrError):
    """An artifact of an earlier step is no longer in the store."""

    reason = "missing_artifact"


class DamagedArtifact(KtrdrError):
    """An artifact of an earlier step is not what that step has stored."""

    reason = "damaged_artifact"


class InconsistentAccount(KtrdrError):
    """The figures of a simulated account contradict each other and must not be used."""

    reason = "inconsistent_account"


class ComputeDied(KtrdrError):
    """A compute process was killed before it had a result."""

    reason = "compute_died"


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


class NotAuthenticated(KtrdrError):
    """The API key is missing or unknown."""

    reason = "not_authenticated"


class NotAllowed(KtrdrError):
    """The API key lacks the required scope, or its owner may not do this."""

    reason = "not_allowed"


class KeysUnavailable(KtrdrError):
    """The file of the API keys cannot be read, so nobody has access."""

    reason = "keys_unavailable"


class OperationNotFound(KtrdrError):
    """No operation has this id."""

    reason = "not_found"


class ScheduleNotFound(KtrdrError):
    """No schedule has this id."""

    reason = "not_found"


class ScheduleExists(KtrdrError):
    """A schedule with this id already exists."""

    reason = "already_exists"


class ExperimentNotFound(KtrdrError):
    """The ledger has no experiment with this id."""

    reason = "not_found"


class NotResearch(KtrdrError):
    """The operation exists but is not a research."""

    reason = "not_research"


class NotCancellable(KtrdrError):
    """The operation has already ended."""

    reason = "not_cancellable"


class NotResumable(KtrdrError):
    """The operation is active, has completed, or is a step of a research."""

    reason = "not_resumable"


class NotRetryable(KtrdrError):
    """The operation is active, has completed, or was already retried."""

    reason = "not_retryable"


class NotReproducible(KtrdrError):
    """The record of an experiment does not suffice to repeat it."""

    reason = "not_reproducible"


class AtCapacity(KtrdrError):
    """The limit on active researches is reached."""

    reason = "at_capacity"

    def __init__(self, active_count: int, limit: int) -> None:
        super().__init__(f"{active_count} researches are active; the limit is {limit}.")
        self.active_count = active_count
        self.limit = limit


class Busy(KtrdrError):
    """Too many requests arrive at once. Nothing has begun."""

    reason = "busy"


class BudgetExhausted(KtrdrError):
    """The budget for language models is spent, for today or for this research."""

    reason = "budget_exhausted"


class ModelMisbehaved(KtrdrError):
    """A language model gave no valid answer within its corrections."""

    reason = "model_misbehaved"


class KeyReused(InvalidInput):
    """An idempotency key was already used with a different request."""

    reason = "idempotency_key_reused"


class CheckpointNotFound(KtrdrError):
    """The operation does not exist, or there is nothing that it can be resumed from."""

    reason = "not_found"


class NotOffered(KtrdrError):
    """The earlier system had this, and this service has not."""

    reason = "not_offered"


class NotFinished(KtrdrError):
    """The operation has no result yet."""

    reason = "not_finished"


class SourceUnavailable(KtrdrError):
    """A source of bars does not answer, or its library is not installed."""

    reason = "source_unavailable"


class UnreadablePayload(KtrdrError):
    """A payload in Temporal cannot be decrypted: unknown key, or failed authentication."""

    reason = "unreadable_payload"


class TemporalUnavailable(KtrdrError):
    """Temporal did not answer in time."""

    reason = "temporal_unavailable"


class LedgerUnavailable(KtrdrError):
    """The database of the ledger does not answer, or its tables do not exist yet."""

    reason = "ledger_unavailable"


class ArtifactsUnavailable(KtrdrError):
    """The artifact store does not answer, or its disk is full."""

    reason = "artifacts_unavailable"


class StartupError(KtrdrError):
    """A process cannot start. The message says what to do."""

    reason = "startup"
