"""Workflows that cannot be evicted from the cache of their worker.

A worker evicts a workflow when one of its tasks has failed.
"""

import asyncio
import contextlib
import os
import time

from temporalio import workflow


@workflow.defn
class Stubborn:
    """Goes on whatever is raised in it, so also when it is to be evicted."""

    @workflow.run
    async def run(self) -> None:
        """Fail, but never end."""
        going_on = asyncio.create_task(self._go_on())
        await asyncio.sleep(0)
        raise RuntimeError(f"a task fails, {going_on} goes on")

    async def _go_on(self) -> None:
        while True:
            with contextlib.suppress(BaseException):
                await asyncio.Future()


@workflow.defn
class Interrupted:
    """Its event loop believes that a task is still at work.

    An exception leaves it like that when it hits asyncio in the middle of a step.
    """

    @workflow.run
    async def run(self) -> None:
        """Fail, but never end."""
        waiting = asyncio.create_task(self._wait())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        loop.call_soon(asyncio.tasks._enter_task, loop, waiting)
        raise RuntimeError(f"a task fails, {waiting} waits")

    async def _wait(self) -> None:
        await asyncio.Future()


@workflow.defn
class Busy:
    """Never gives its thread back."""

    @workflow.run
    async def run(self) -> None:
        """Never end."""
        while True:
            pass


@workflow.defn
class Slow:
    """Its first task takes longer than the SDK allows."""

    @workflow.run
    async def run(self) -> str:
        """Be slow once."""
        with workflow.unsafe.sandbox_unrestricted():
            if os.environ.setdefault(workflow.info().run_id, "first") == "first":
                os.environ[workflow.info().run_id] = "again"
                end = time.monotonic() + 5
                while time.monotonic() < end:
                    pass
        return "done"
