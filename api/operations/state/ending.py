"""How a closed workflow has ended, by its last event. To read it needs no worker."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import FailureError, TerminatedError

from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import UnreadablePayload
from quant.messages.progress import Progress
from workflows.interface.contract import OperationInfo

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class ForcedEnd:
    """What a termination says.

    Attributes:
        reason: Why it was requested.
        progress: How far the operation was, if the API has terminated it.
        operation: What its workflow answered before, if it did.
    """

    reason: str | None = None
    progress: Progress | None = None
    operation: OperationInfo | None = None

    @property
    def details(self) -> tuple[Progress | None, OperationInfo | None]:
        """What the API sends with the request."""
        return self.progress, self.operation

    @property
    def update(self) -> dict[str, Any]:
        """What is now known of the operation."""
        known = {"cancellation_reason": self.reason, "progress": self.progress}
        return {name: value for name, value in known.items() if value is not None}


async def read_forced_end(handle: WorkflowHandle[Any, Any]) -> ForcedEnd:
    """Return where a terminated workflow was, and why it was terminated, as far as Temporal knows.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    error = await read_failure(handle)
    if not isinstance(error, TerminatedError):
        return ForcedEnd()
    progress = _read_detail(error, 0, Progress)
    return ForcedEnd(error.message or None, progress, _read_detail(error, 1, OperationInfo))


def _read_detail(error: TerminatedError, place: int, kind: type[_Model]) -> _Model | None:
    try:
        return kind.model_validate(error.details[place])
    except (IndexError, ValidationError):
        return None


async def read_result(handle: WorkflowHandle[Any, Any]) -> dict[str, Any] | None:
    """Return the result of a completed workflow. None if it is no result of ours.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    try:
        result = await call_temporal(handle.result(rpc_timeout=RPC_TIMEOUT))
    except (FailureError, UnreadablePayload):
        return None
    return result if isinstance(result, dict) else None


async def read_failure(handle: WorkflowHandle[Any, Any]) -> BaseException | None:
    """Return why a workflow has failed or was terminated.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    try:
        await call_temporal(handle.result(follow_runs=False, rpc_timeout=RPC_TIMEOUT))
    except WorkflowFailureError as error:
        return error.cause
    except (FailureError, UnreadablePayload):
        pass  # It is nothing that a workflow of ours leaves.
    return None
