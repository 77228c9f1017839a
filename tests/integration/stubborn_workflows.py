"""Workflows that cannot be evicted from the cache of their worker."""

import asyncio
import contextlib

from temporalio import workflow


@workflow.defn
class Stubborn:
    """Goes on whatever is raised in it, so also when it is to be evicted."""

    @workflow.run
    async def run(self) -> None:
        """Never end."""
        while True:
            with contextlib.suppress(BaseException):
                await workflow.wait_condition(lambda: False)


@workflow.defn
class Interrupted:
    """Its event loop believes that a task is still at work.

    An exception leaves it like that when it hits asyncio in the middle of a step.
    """

    @workflow.run
    async def run(self) -> None:
        """Never end."""
        this = asyncio.current_task()
        assert this is not None
        loop = asyncio.get_running_loop()
        loop.call_soon(asyncio.tasks._enter_task, loop, this)
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Busy:
    """Never gives its thread back."""

    @workflow.run
    async def run(self) -> None:
        """Never end."""
        while True:
            pass
