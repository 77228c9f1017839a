"""Counts trials while a search runs, however it ends."""

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
    """Record every reported trial, once a second and at the end.

    A killed worker loses the last second at most. The last write may overlap with a periodic one:
    a trial that is recorded twice is kept once.

    Raises:
        LedgerUnavailable: at the end; until then a failed write is repeated with the next batch.
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
