"""The cancel guard: once a cancel is accepted, nothing that happens meanwhile may win over it.

Temporal delivers a cancel as an exception at the next await, and two things can lose it: the step
that was awaited has completed in the same workflow task (its result is returned and the cancel
is never raised), or the step finished although it was asked to stop. In sequences of short steps
this happens to a few per cent of the cancels. The server has recorded the request in any case,
so asking it is exact: before the first step, after every step, and before returning
(`workflows.operation` does that for every workflow).
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
    """Stop here if a cancel has been accepted."""
    if cancel_requested():
        raise asyncio.CancelledError


async def to_the_end(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Await clean-up to its end.

    The guard may have noticed the cancel one turn of the event loop before it is delivered; it
    then arrives in the middle of the clean-up, which must not stop there.
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

    Left alone, a cancel that arrives while the start is on its way is raised at once, and the
    child would outlive the promise that cancelled work has stopped.
    """
    start = asyncio.create_task(starting)
    try:
        child = await asyncio.shield(start)
    except asyncio.CancelledError:
        child = await start
        child.cancel()
    return await child
