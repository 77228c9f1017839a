"""Calls that are timed in turn, so that what disturbs one disturbs all."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2

AT_ONCE: Final = 32
"""So many calls are in flight, and so many steps run."""

Call = Callable[[], Awaitable[object]]


async def alternate(count: int, *calls: Call) -> list[list[float]]:
    """Make these calls alternately, and return the milliseconds of each kind."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(count):
        for call, milliseconds in zip(calls, times, strict=True):
            began = time.perf_counter()
            await call()
            milliseconds.append(1000 * (time.perf_counter() - began))
    return times


def require_success(answer: httpx2.Response) -> None:
    """Check that a request was accepted."""
    assert answer.is_success, answer.text
