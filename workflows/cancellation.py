"""The cancel guard: once a cancel is accepted, no other outcome may win over it.

Temporal raises a cancel as an exception at the next await. Two things can lose it:

* The awaited step completes in the same workflow task. Its result is returned, and the exception is
  never raised.
* The step finishes although it was asked to stop.

In sequences of short steps a few per cent of all cancels are lost this way. But the server has
recorded the request in any case, so asking for it is exact. `workflows.operation` asks before the
first step, after every step and before returning.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio import workflow

_Result = TypeVar("_Result")


def cancel_requested() -> bool:
    """Whether a cancel has been accepted. Only None means no: the reason may be empty."""
    return workflow.cancellation_reason() is not None


def get_cancel_reason() -> str | None:
    """Return the reason of the accepted cancel, if it has one."""
    return workflow.cancellation_reason() or None


def raise_if_cancelled() -> None:
    """Raise CancelledError if a cancel has been accepted."""
    if cancel_requested():
        raise asyncio.CancelledError


async def finish_cleanup(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Await clean-up to its end, even if a cancel arrives meanwhile.

    The guard may notice a cancel shortly before Temporal raises it. The exception then comes during
    the clean-up, which must not stop.
    """
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                raise


async def run_child(
    starting: Coroutine[Any, Any, workflow.ChildWorkflowHandle[Any, _Result]],
    get_reason: Callable[[], str | None] = workflow.cancellation_reason,
) -> _Result:
    """Start a child workflow and await its end.

    A cancel is passed on to the child with its reason, and the end of the child awaited. The cancel
    may also arrive while the child is being started. Otherwise the child would run on, although
    "cancelled" means that the work has stopped.

    Args:
        starting: Starts the child.
        get_reason: Returns the reason of a cancel.
    """
    start = asyncio.create_task(starting)
    try:
        child = await asyncio.shield(start)
        return await asyncio.shield(child)
    except asyncio.CancelledError:
        child = await start
        if not child.done():
            child.cancel(get_reason())
    return await child
