"""Records the trials of a search while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from errors import LedgerUnavailable
from quant.messages.record.trials import ReportTrial, TrialOnBars
from storage.ledger.ledger import Ledger

SECONDS_BETWEEN_WRITES: Final = 1.0

Ask = Callable[..., Awaitable[Any]]

_log = logging.getLogger(__name__)


@asynccontextmanager
async def record_trials(ledger: Ledger, operation_id: str) -> AsyncIterator[ReportTrial]:
    """Yield a function that takes trials; they are recorded once a second and at the end.

    A killed worker loses at most the trials of the last second. A trial that is written twice is
    kept once.

    Raises:
        LedgerUnavailable: The search has succeeded, and its last trials cannot be written. An
            earlier failure is not raised: the next write repeats it. If the search failed or was
            cancelled, the last write is tried only briefly, because a cancel must not wait.
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
