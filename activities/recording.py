"""Records trials while a search runs, however it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from errors import LedgerUnavailable
from quant.messages.trials import ReportTrial, TrialOnBars
from storage.ledger import Ledger

SECONDS_BETWEEN_WRITES: Final = 1.0

Ask = Callable[..., Awaitable[Any]]

_log = logging.getLogger(__name__)


@asynccontextmanager
async def recording(ledger: Ledger, operation_id: str) -> AsyncIterator[ReportTrial]:
    """Record every reported trial, once a second and at the end.

    A killed worker loses the last second at most. The last write may overlap with a periodic one:
    a trial that is recorded twice is kept once.

    Raises:
        LedgerUnavailable: at the end of a search that has succeeded. Until then a failed write is
            repeated with the next batch; a search that failed or was cancelled ends as such, and
            soon: a cancel must not wait for the ledger.
    """
    waiting: list[TrialOnBars] = []

    async def write(ask: Ask = ledger.ask) -> None:
        batch = waiting.copy()
        await ask(ledger.trials.record, operation_id, batch)
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
            await write(ledger.ask_briefly)
        except LedgerUnavailable as error:
            _log.warning("lost %d trials of %s: %s", len(waiting), operation_id, error)
        raise
    writing.cancel()
    await write()
