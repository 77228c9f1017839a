"""Calls to Temporal: their time limits, and the error when Temporal does not answer."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Protocol, TypeVar

from temporalio.client import RPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from errors import TemporalUnavailable

_Result = TypeVar("_Result")
_Request_contra = TypeVar("_Request_contra", contravariant=True)
_Response_co = TypeVar("_Response_co", covariant=True)

RPC_TIMEOUT = timedelta(seconds=2)
_PATIENCE_SECONDS = 2.5

_NO_ANSWER = "Temporal does not answer; try again in a moment."
_UNAVAILABLE = {
    RPCStatusCode.UNAVAILABLE: _NO_ANSWER,
    RPCStatusCode.DEADLINE_EXCEEDED: _NO_ANSWER,
    RPCStatusCode.CANCELLED: _NO_ANSWER,
    RPCStatusCode.RESOURCE_EXHAUSTED: "Temporal is busy; try again in a moment.",
}


async def answered(
    call: Awaitable[_Result], patience_seconds: float = _PATIENCE_SECONDS
) -> _Result:
    """Await a call to Temporal.

    The timeout of a call applies to each attempt, and the SDK makes several: hence a second bound.

    Raises:
        TemporalUnavailable: Temporal cannot be reached or does not answer in time.
        RPCError: Temporal refuses the call.
    """
    try:
        async with asyncio.timeout(patience_seconds):
            return await call
    except (TimeoutError, RPCTimeoutOrCancelledError) as error:
        raise TemporalUnavailable(_NO_ANSWER) from error
    except RPCError as error:
        if error.status in _UNAVAILABLE:
            raise TemporalUnavailable(_UNAVAILABLE[error.status]) from error
        raise
    except RuntimeError as error:
        # A lazy client connects on its first call, and raises this when that fails.
        raise TemporalUnavailable("Temporal cannot be reached; try again in a moment.") from error


class _Rpc(Protocol[_Request_contra, _Response_co]):
    def __call__(
        self, req: _Request_contra, /, *, retry: bool, timeout: timedelta
    ) -> Awaitable[_Response_co]: ...


async def sent(rpc: _Rpc[_Request_contra, _Response_co], request: _Request_contra) -> _Response_co:
    """Send a request that no handle has a method for, with the SDK's retries as a handle would.

    A server ends every connection after some minutes; a request in flight on it then fails.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    return await answered(rpc(request, retry=True, timeout=RPC_TIMEOUT))
