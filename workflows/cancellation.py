"""The cancel guard: once a cancel is accepted, no other outcome may win over it.

Temporal delivers a cancel as an exception at the next await, and two things can lose it: the
awaited step completes in the same workflow task (its result is returned and the cancel is never
raised), or the step finishes although it was asked to stop. In sequences of short steps a few per
cent of the cancels are lost this way. The server has recorded the request in any case, so checking
for it is exact: before the first step, after every step, and before returning
(`workflows.operation` does this for every workflow).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow

_Result = TypeVar("_Result")


def cancel_requested() -> bool:
    """Whether a cancel has been accepted. Its reason may be empty, so only None means no."""
    return workflow.cancellation_reason() is not None


def raise_if_cancelled() -> None:
    """Raise CancelledError if a cancel has been accepted."""
    if cancel_requested():
        raise asyncio.CancelledError


async def to_the_end(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Await clean-up to its end.

    The guard may notice a cancel one turn of the event loop before it is delivered; it then
    arrives during the clean-up, which must not stop there.
    """
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                raise


async def finished_child(
    starting: Coroutine[Any, Any, workflow.ChildWorkflowHandle[Any, _Result]],
) -> _Result:
    """Start a child workflow and await its end, also when cancelled between the two.

    Otherwise a cancel that arrives while the child is being started would be raised at once, and
    the child would run on although "cancelled" means that the work has stopped.
    """
    start = asyncio.create_task(starting)
    try:
        child = await asyncio.shield(start)
    except asyncio.CancelledError:
        child = await start
        child.cancel()
    return await child
