"""The end of a process that was told to stop: always in time, and orderly if possible."""

import contextlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

_SECONDS_FOR_LAST_ACTS: Final = 2.0


class Deadline:
    """Ends this process if it does not end by itself.

    The deadline has its own thread. So it also ends a process whose event loop is blocked, or that
    waits for one of its threads.

    Args:
        seconds: The grace period, from `begin` until the process is gone. It must be shorter than
            the time after which others kill this process, or the reason would not be logged.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last_acts: list[Callable[[], None]] = []
        self._timer = threading.Timer(seconds - _SECONDS_FOR_LAST_ACTS, self._end)
        self._timer.daemon = True

    def add_last_act(self, act: Callable[[], None]) -> None:
        """Register what to do at the deadline. The acts are done in the order of registration."""
        self._last_acts.append(act)

    def begin(self) -> None:
        """Begin the grace period, unless it has begun already."""
        with contextlib.suppress(RuntimeError):  # It has begun already.
            self._timer.start()

    def _end(self) -> None:
        # The last acts may hang, too: on a log that nobody reads, for example.
        acting = threading.Thread(target=self._do_last_acts, daemon=True)
        acting.start()
        acting.join(_SECONDS_FOR_LAST_ACTS)
        os._exit(1)

    def _do_last_acts(self) -> None:
        _log.error("still running %.0f s after being told to stop; ending now", self._seconds)
        for act in (*self._last_acts, log_threads):
            try:
                act()
            except Exception:
                _log.exception("while ending")


def log_threads() -> None:
    """Log what every thread of this process is doing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident():
            stack = "".join(traceback.format_stack(frame))
            _log.error("thread %s:\n%s", names.get(ident, ident), stack)
