"""The compute processes of a worker, and how one of them is killed at once.

To die, a process needs a core. One that waits for a core behind others of its kind would die only
when its turn comes, which takes 90 ms with ten on two cores. So the others are stopped for the few
milliseconds in which it dies. They lose nothing: it was their turn, and it becomes theirs. However
many are killed, and however long they take to die, the others are stopped half of the time at most.
"""

import asyncio
import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from typing import Final

# As long as others pause at most. A process that hangs in the system may never die.
_LONGEST_PAUSE_SECONDS: Final = 0.05
# To stop more would take longer than to wait. So many do not compute at once, but sleep.
_MOST_PAUSED: Final = 32


class Processes:
    """The processes at work, by pidfd. A pidfd, unlike a pid, can never mean another process."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        # Those that the others pause for.
        self._dying: set[int] = set()
        self._paused: set[int] = set()
        self._paused_since = 0.0
        self._next_pause = 0.0
        self._longest_pause: asyncio.TimerHandle | None = None

    def add(self, pidfd: int) -> None:
        """Add a process that was started."""
        self._running.add(pidfd)

    def remove(self, pidfd: int) -> None:
        """Remove a process that is dead, and close its pidfd."""
        self._running.discard(pidfd)
        self._paused.discard(pidfd)
        os.close(pidfd)

    async def kill(self, pidfd: int, *, before_others: bool = False) -> None:
        """Kill a process and wait until the system reports its death.

        Args:
            pidfd: The process.
            before_others: Whether the others pause meanwhile.
        """
        with self._pause_others(pidfd) if before_others else contextlib.nullcontext():
            send(signal.SIGKILL, pidfd)
            await wait_until_readable(pidfd)

    def kill_all(self) -> None:
        """Kill every process and wait until they are dead; may be called in any thread."""
        dying = list(self._running)
        for pidfd in dying:
            send(signal.SIGKILL, pidfd)
        for pidfd in dying:
            block_until_dead(pidfd)

    @contextlib.contextmanager
    def _pause_others(self, pidfd: int) -> Iterator[None]:
        """Stop the others. If this process is killed meanwhile, they die with the fork server."""
        self._dying.add(pidfd)
        self._begin_pause()
        try:
            yield
        finally:
            self._dying.discard(pidfd)
            if not self._dying:
                self._end_pause()

    def _begin_pause(self) -> None:
        others = self._running - self._dying
        now = time.monotonic()
        if self._longest_pause or now < self._next_pause or not 0 < len(others) <= _MOST_PAUSED:
            return
        self._paused = others
        self._paused_since = now
        for other in others:
            send(signal.SIGSTOP, other)
        loop = asyncio.get_running_loop()
        self._longest_pause = loop.call_later(_LONGEST_PAUSE_SECONDS, self._end_pause)

    def _end_pause(self) -> None:
        if self._longest_pause is None:
            return
        self._longest_pause.cancel()
        self._longest_pause = None
        self._dying.clear()
        for other in self._paused:
            send(signal.SIGCONT, other)
        self._paused.clear()
        # Before the next pause the others run for as long as they were stopped.
        now = time.monotonic()
        self._next_pause = now + (now - self._paused_since)


def send(signal_number: signal.Signals, pidfd: int) -> None:
    """Send a signal to a process, unless it has ended."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal_number)


def block_until_dead(pidfd: int, milliseconds: int | None = None) -> bool:
    """Block until a process is dead, in any thread. Return whether it was within this time."""
    death = select.poll()
    death.register(pidfd, select.POLLIN)
    return bool(death.poll(milliseconds))


async def wait_until_readable(descriptor: int) -> None:
    """Wait for a message or for its end; for a pidfd, until the process is dead."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
