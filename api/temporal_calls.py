"""Calls to Temporal: their time limits, and the error when Temporal does not answer."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
)
from temporalio.service import RPCError, RPCStatusCode

from errors import TemporalUnavailable

_Result = TypeVar("_Result")
_Request_contra = TypeVar("_Request_contra", contravariant=True)
_Response_co = TypeVar("_Response_co", covariant=True)

RPC_TIMEOUT = timedelta(seconds=2)
_TIMEOUT_SECONDS = 2.5

_log = logging.getLogger(__name__)

_NO_ANSWER = "Temporal does not answer; try again in a moment."
_ACCESS_DENIED = "Temporal denies this API access to its namespace; see the log of the API."
_UNAVAILABLE = {
    RPCStatusCode.UNAVAILABLE: _NO_ANSWER,
    RPCStatusCode.DEADLINE_EXCEEDED: _NO_ANSWER,
    RPCStatusCode.CANCELLED: _NO_ANSWER,
    RPCStatusCode.RESOURCE_EXHAUSTED: "Temporal is busy; try again in a moment.",
    RPCStatusCode.PERMISSION_DENIED: _ACCESS_DENIED,
    RPCStatusCode.UNAUTHENTICATED: _ACCESS_DENIED,
}


async def call_temporal(
    call: Awaitable[_Result], timeout_seconds: float = _TIMEOUT_SECONDS
) -> _Result:
    """Await a call to Temporal.

    The RPC timeout bounds one attempt, and the SDK makes several. This timeout bounds them all.

    Args:
        call: The call.
        timeout_seconds: The time limit of all attempts.

    Raises:
        TemporalUnavailable: Temporal cannot be reached or does not answer in time.
        RPCError: Temporal refuses the call.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await call
    except (TimeoutError, RPCTimeoutOrCancelledError) as error:
        raise TemporalUnavailable(_NO_ANSWER) from error
    except RPCError as error:
        detail = _ACCESS_DENIED if _namespace_is_missing(error) else _UNAVAILABLE.get(error.status)
        if detail is None:
            raise
        if detail is _ACCESS_DENIED:
            _log.error("Temporal refuses: %s", error.message)
        raise TemporalUnavailable(detail) from error
    except RuntimeError as error:
        # A lazy client connects on its first call, and raises this when that fails.
        raise TemporalUnavailable("Temporal cannot be reached; try again in a moment.") from error


def _namespace_is_missing(error: RPCError) -> bool:
    """Whether `not found` is about the namespace, not about the workflow."""
    return any(
        detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details
    )


class _Rpc(Protocol[_Request_contra, _Response_co]):
    def __call__(
        self, req: _Request_contra, /, *, retry: bool, timeout: timedelta
    ) -> Awaitable[_Response_co]: ...


async def send_request(
    rpc: _Rpc[_Request_contra, _Response_co], request: _Request_contra
) -> _Response_co:
    """Send a request for which the SDK has no method, with the SDK's retries.

    A server closes every connection after some minutes. A request in flight then fails and needs a
    retry.

    Args:
        rpc: A method of the client's `workflow_service`.
        request: The request.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    return await call_temporal(rpc(request, retry=True, timeout=RPC_TIMEOUT))


async def wait_until_closed(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until a workflow has closed, which Temporal tells at once.

    A run that continues as new is not the end. Also returns if there is no such workflow, or if
    Temporal cannot be asked any more.
    """
    with contextlib.suppress(RPCError):
        while True:
            async for event in handle.fetch_history_events(
                wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
            ):
                if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                    return
