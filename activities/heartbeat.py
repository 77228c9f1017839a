"""Heartbeats that carry progress."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

from quant.models import Progress, ReportProgress

# Also how long a cancel takes on a server that cannot push it: the answer to a heartbeat
# carries it.
HEARTBEAT_SECONDS = 1.0


@contextlib.asynccontextmanager
async def heartbeating() -> AsyncIterator[ReportProgress]:
    """Heartbeat once a second with the progress that was reported last."""
    latest = Progress()

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    async def beat() -> None:
        while True:
            activity.heartbeat(latest)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield report
    finally:
        beating.cancel()
