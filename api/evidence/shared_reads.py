"""Reads that several readers share: at most one for each thing and second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

_Value = TypeVar("_Value")

_SECONDS_SHARED: Final = 1.0
_MOST_KEPT: Final = 64


class SharedReads(Generic[_Value]):
    """Keeps what was read for a second, and lets simultaneous readers wait for one read."""

    def __init__(self) -> None:
        self._reads: dict[str, tuple[float, asyncio.Task[_Value]]] = {}

    async def read(self, name: str, read: Callable[[], Awaitable[_Value]]) -> _Value:
        """Return what `read` returns, or has returned within the last second.

        Args:
            name: Of what is read.
            read: Reads it. What it raises is raised here, and not kept.
        """
        now = time.monotonic()
        began, task = self._reads.get(name, (0.0, None))
        if task is None or (task.done() and now - began >= _SECONDS_SHARED) or _has_failed(task):
            task = asyncio.create_task(_await(read))
            self._reads.pop(name, None)
            self._reads[name] = (now, task)
            while len(self._reads) > _MOST_KEPT:
                del self._reads[next(iter(self._reads))]
        # A reader who leaves must not end the read of the others.
        return await asyncio.shield(task)


async def _await(read: Callable[[], Awaitable[_Value]]) -> _Value:
    return await read()


def _has_failed(task: "asyncio.Task[_Value]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
