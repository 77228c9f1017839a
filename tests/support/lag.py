"""How long an event loop is held, by the processor time of its thread.

A wait for the processor on a busy machine is not held against the code.
"""

import asyncio
import gc
import threading
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Lag:
    """What was measured.

    Attributes:
        longest: Processor seconds of the longest callback.
        where: What it was.
    """

    longest: float = 0.0
    where: str = ""
    _thread: int = field(default_factory=threading.get_ident)

    def note(self, seconds: float, handle: object) -> None:
        """Note the duration of a callback of the loop that is watched."""
        if threading.get_ident() == self._thread and seconds > self.longest:
            self.longest, self.where = seconds, repr(handle)[:2000]


@contextmanager
def measuring_lag() -> Iterator[Lag]:
    """Measure every callback of the running event loop, each step of a task among them."""
    asyncio.get_running_loop()
    lag = Lag()
    run = events.Handle._run

    def run_and_measure(self: events.Handle) -> None:
        began = time.thread_time()
        try:
            run(self)
        finally:
            lag.note(time.thread_time() - began, self)

    events.Handle._run = run_and_measure  # type: ignore[method-assign]
    # A collection looks at all that earlier tests have left in this process, which no server has.
    gc.collect()
    gc.freeze()
    try:
        yield lag
    finally:
        gc.unfreeze()
        events.Handle._run = run  # type: ignore[method-assign]
