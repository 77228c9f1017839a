"""Records trials while a search runs, however it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from errors import LedgerUnavailable
from quant.messages.steps import ReportTrial, Tried
from storage.trials import Trials

SECONDS_BETWEEN_WRITES: Final = 1.0

_log = logging.getLogger(__name__)


@asynccontextmanager
async def recording(trials: Trials, operation_id: str) -> AsyncIterator[ReportTrial]:
    """Record every reported trial, once a second and at the end.

    A killed worker loses the last second at most. The last write may overlap with a periodic one:
    a trial that is recorded twice is kept once.

    Raises:
        LedgerUnavailable: at the end of a search that has succeeded. Until then a failed write is
            repeated with the next batch; a search that failed or was cancelled ends as such.
    """
    waiting: list[Tried] = []

    async def write() -> None:
        batch = waiting.copy()
        await asyncio.to_thread(trials.record, operation_id, batch)
        del waiting[: len(batch)]

    async def keep_writing() -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
            try:
                await write()
            except LedgerUnavailable as error:
                _log.warning("trials of %s are not recorded yet: %s", operation_id, error)

    writing = asyncio.create_task(keep_writing())
    try:
        yield waiting.append
    except BaseException:
        writing.cancel()
        try:
            await write()
        except LedgerUnavailable as error:
            _log.warning("lost %d trials of %s: %s", len(waiting), operation_id, error)
        raise
    writing.cancel()
    await write()
