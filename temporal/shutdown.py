"""The end of a process that was told to stop: orderly if possible, and in time in any case."""

import contextlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

_SECONDS_FOR_LAST_WORDS: Final = 2.0


class Deadline:
    """Ends this process if it has not ended by itself, whatever keeps it.

    It runs in a thread of its own, so it ends also a process whose event loop is blocked or which
    waits for one of its threads.

    Args:
        seconds: the grace period, from `begin` until the process is gone. Less than what those who
            stop this process wait for before they kill it, or nobody learns what has refused.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last_acts: list[Callable[[], None]] = []
        self._timer = threading.Timer(seconds - _SECONDS_FOR_LAST_WORDS, self._end)
        self._timer.daemon = True

    def finally_do(self, act: Callable[[], None]) -> None:
        """Do this at the deadline, after all that was registered before."""
        self._last_acts.append(act)

    def begin(self) -> None:
        """Begin the grace period, unless it has begun."""
        with contextlib.suppress(RuntimeError):  # Started before.
            self._timer.start()

    def _end(self) -> None:
        # What is to be said or done may hang, too: a log that nobody reads, for example.
        acting = threading.Thread(target=self._act, daemon=True)
        acting.start()
        acting.join(_SECONDS_FOR_LAST_WORDS)
        os._exit(1)

    def _act(self) -> None:
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
