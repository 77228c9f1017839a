"""Trials are counted while a search runs, whatever becomes of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from errors import LedgerUnavailable
from quant.models import ReportTrial, Tried
from storage.trials import Trials

SECONDS_BETWEEN_WRITES: Final = 1.0


@contextlib.asynccontextmanager
async def counting(trials: Trials, operation_id: str) -> AsyncIterator[ReportTrial]:
    """Record every trial that is told, once a second and at the end.

    A worker that is killed has lost the last second at most. The writing may overlap with that of
    the end: to record a trial twice leaves it once.

    Raises:
        LedgerUnavailable: at the end; before, what could not be written is tried again.
    """
    waiting: list[Tried] = []

    async def write() -> None:
        batch = waiting.copy()
        await asyncio.to_thread(trials.record, operation_id, batch)
        del waiting[: len(batch)]

    async def keep_writing() -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
            with contextlib.suppress(LedgerUnavailable):
                await write()

    writing = asyncio.create_task(keep_writing())
    try:
        yield waiting.append
    finally:
        writing.cancel()
        await write()
