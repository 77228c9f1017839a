"""Every error this project raises on purpose: one tree, known to all layers.

`reason` is the machine-readable code that the API, the command line and Temporal failures carry;
`field` names the input that was wrong. How a class maps to HTTP is a table in `api/errors.py`.
"""


class KtrdrError(Exception):
    """Base of all expected errors. The message is written for the user."""

    reason = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(KtrdrError):
    """A value in a request, a strategy or a setting is not acceptable."""

    reason = "invalid_input"


class UnknownSymbol(InvalidInput):
    """No bars exist under this symbol."""

    reason = "unknown_symbol"


class UnknownStrategy(InvalidInput):
    """No strategy file exists under this name."""

    reason = "unknown_strategy"


class InvalidData(InvalidInput):
    """Bars that cannot be trusted; the message names the file and the row."""

    reason = "invalid_data"


class DataChanged(InvalidData):
    """The bars are no longer those that the earlier steps of a research have used."""

    reason = "data_changed"


class CheckpointMismatch(KtrdrError):
    """A checkpoint belongs to another configuration or to other data."""

    reason = "checkpoint_mismatch"


class MissingArtifact(KtrdrError):
    """An artifact that an earlier step left is no longer in the store."""

    reason = "missing_artifact"


class EngineError(KtrdrError):
    """The backtest engine contradicted itself; its figures must not be used."""

    reason = "engine_error"


class ComputeDied(KtrdrError):
    """A compute process ended without a result, killed from outside or by the system."""

    reason = "compute_died"


class NotAuthenticated(KtrdrError):
    """No API key, or none that is known."""

    reason = "not_authenticated"


class NotAllowed(KtrdrError):
    """An API key that is not good for this."""

    reason = "not_allowed"


class KeysUnavailable(KtrdrError):
    """The file of the API keys cannot be read, so nobody can be let in."""

    reason = "keys_unavailable"


class OperationNotFound(KtrdrError):
    """No operation has this id."""

    reason = "not_found"


class ScheduleNotFound(KtrdrError):
    """No schedule has this id."""

    reason = "not_found"


class ScheduleExists(KtrdrError):
    """A schedule has this id already."""

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
    """The operation runs, or has completed, or is a step of a research."""

    reason = "not_resumable"


class NotRetryable(KtrdrError):
    """The operation runs, or has completed, or was started over already."""

    reason = "not_retryable"


class NotReproducible(KtrdrError):
    """An experiment whose record is not enough to repeat it."""

    reason = "not_reproducible"


class AtCapacity(KtrdrError):
    """As many researches are active as the installation allows."""

    reason = "at_capacity"

    def __init__(self, active_count: int, limit: int) -> None:
        super().__init__(f"{active_count} researches are active; at most {limit} may be.")
        self.active_count = active_count
        self.limit = limit


class BudgetExhausted(KtrdrError):
    """Language models may cost no more, today or for this research."""

    reason = "budget_exhausted"


class ModelMisbehaved(KtrdrError):
    """A language model was corrected as often as is sensible, and came to no valid answer."""

    reason = "model_misbehaved"


class KeyReused(InvalidInput):
    """An idempotency key came with another request before."""

    reason = "idempotency_key_reused"


class NotFinished(KtrdrError):
    """The operation has no result yet."""

    reason = "not_finished"


class SourceUnavailable(KtrdrError):
    """A place where bars can be had does not answer, or cannot be asked."""

    reason = "source_unavailable"


class UnreadablePayload(KtrdrError):
    """Something in Temporal that was encrypted with a key that is not known here."""

    reason = "unreadable_payload"


class TemporalUnavailable(KtrdrError):
    """Temporal did not answer in time."""

    reason = "temporal_unavailable"


class LedgerUnavailable(KtrdrError):
    """The database of the ledger does not answer, or no worker has made its tables yet."""

    reason = "ledger_unavailable"


class ArtifactsUnavailable(KtrdrError):
    """The artifact store does not answer, or its disk is full."""

    reason = "artifacts_unavailable"


class StartupError(KtrdrError):
    """A process cannot start; the message says what to do."""

    reason = "startup"
