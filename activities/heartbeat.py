"""Heartbeats that carry progress."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Final

from temporalio import activity

from quant.messages.progress import Progress, ReportProgress

_BEATS_PER_TIMEOUT: Final = 10

# Without progress, where the server pushes cancels. Often enough that no step times out, and rarely
# enough that a thousand waiting steps do not keep the server busy.
_BEATS_BETWEEN_QUIET_ONES: Final = 4

_last_progress: ContextVar[Progress | None] = ContextVar("last_progress", default=None)


def get_last_progress() -> Progress | None:
    """Return how far the current activity was when its work ended. None outside an activity."""
    return _last_progress.get()


def heartbeat_interval(timeout: timedelta) -> timedelta:
    """Return the time between two heartbeats of an activity with this heartbeat timeout.

    A server that does not push cancels sends them with the answer to a heartbeat, so this is also
    how late a cancel may arrive there.
    """
    return timeout / _BEATS_PER_TIMEOUT


@contextlib.asynccontextmanager
async def send_heartbeats(*, cancels_are_pushed: bool = False) -> AsyncIterator[ReportProgress]:
    """Yield a function that takes progress; the latest progress is sent with every heartbeat.

    The interval follows from the heartbeat timeout of the activity.

    Args:
        cancels_are_pushed: Whether a cancel arrives without a heartbeat. While there is no new
            progress, fewer heartbeats are sent then.

    Raises:
        ValueError: The activity has no heartbeat timeout.
    """
    timeout = activity.info().heartbeat_timeout
    if not timeout:
        raise ValueError(f"{activity.info().activity_type} has no heartbeat timeout.")
    seconds = heartbeat_interval(timeout).total_seconds()
    most_skipped = _BEATS_BETWEEN_QUIET_ONES - 1 if cancels_are_pushed else 0
    latest = Progress()

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    async def beat() -> None:
        while True:
            sent = latest
            activity.heartbeat(sent)
            await asyncio.sleep(seconds)
            skipped = 0
            while latest is sent and skipped < most_skipped:
                await asyncio.sleep(seconds)
                skipped += 1

    beating = asyncio.create_task(beat())
    try:
        yield report
    finally:
        beating.cancel()
        _last_progress.set(latest)
