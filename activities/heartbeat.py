"""Heartbeats that carry progress."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

from quant.models import Progress, ReportProgress

# Also how long a cancel takes on a server that cannot push it: the answer to a heartbeat
# carries it.
HEARTBEAT_SECONDS = 1.0

# Without anything new to say, on a server that pushes: often enough not to be taken for dead, and
# a thousand steps that wait for something do not keep the server busy.
QUIET_HEARTBEAT_SECONDS = 4.0


@contextlib.asynccontextmanager
async def heartbeating(quiet_seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[ReportProgress]:
    """Heartbeat with the progress that was reported last, at most once a second.

    Args:
        quiet_seconds: time between two heartbeats while there is no progress.
    """
    latest = Progress()

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    async def beat() -> None:
        while True:
            said = latest
            activity.heartbeat(said)
            await asyncio.sleep(HEARTBEAT_SECONDS)
            quiet = HEARTBEAT_SECONDS
            while latest is said and quiet < quiet_seconds:
                await asyncio.sleep(HEARTBEAT_SECONDS)
                quiet += HEARTBEAT_SECONDS

    beating = asyncio.create_task(beat())
    try:
        yield report
    finally:
        beating.cancel()
