"""Heartbeats that carry progress."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

from quant.messages.progress import Progress, ReportProgress

# Also the delay of a cancel on a server that cannot push it: it comes with the answer to a
# heartbeat.
HEARTBEAT_SECONDS = 1.0

# Without new progress, on a server that pushes cancels: often enough not to time out, and rarely
# enough that a thousand waiting steps do not keep the server busy.
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
