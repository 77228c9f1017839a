"""Forks compute processes, and keeps one in reserve.

To fork a process takes some milliseconds. So that no job waits for them, the next process is forked
as soon as the last one has begun, and waits for its job.
"""

import asyncio
import multiprocessing
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Final

from activities.computing.compute_process import Order, serve
from activities.computing.forking import configure_fork_server
from activities.computing.processes import block_until_dead, send
from errors import ComputeDied

# multiprocessing's bookkeeping is not thread-safe, and a process has one: so one thread starts and
# reaps processes. A fork server that it has to start dies with it, so it lives as long as this
# process.
_bookkeeper: Final = ThreadPoolExecutor(1, thread_name_prefix="compute")


@dataclass(frozen=True)
class Fork:
    """A compute process.

    Attributes:
        process: What multiprocessing knows of it.
        pidfd: Unlike its pid it can never mean another process.
        messages: Brings its messages.
        life: Takes its order. Closes when the worker ends.
    """

    process: ForkServerProcess
    pidfd: int
    messages: Connection
    life: Connection


class Forks:
    """Forks the compute processes of a worker.

    `niceness` is how far they let others go first.
    """

    def __init__(self, niceness: int) -> None:
        self._fork = partial(_fork, configure_fork_server(), niceness)
        self._reserve: Future[Fork] | None = None

    async def close(self) -> None:
        """Give up the reserve, and wait until the bookkeeping of ended processes is done."""
        if self._reserve is not None:
            self._give_up(self._reserve)
            self._reserve = None
        await asyncio.wrap_future(_bookkeeper.submit(_do_nothing))

    async def take(self) -> Fork:
        """Return a process that waits for its order.

        A cancel does not wait for it. A fork takes seconds while the fork server loads its
        libraries, or while other processes are forked first.

        Raises:
            ComputeDied: The fork server has ended meanwhile.
        """
        forking, self._reserve = self._reserve, None
        if forking is not None and not _is_usable(forking):
            self._give_up(forking)
            forking = None
        forking = forking or _bookkeeper.submit(self._fork)
        try:
            return await asyncio.wrap_future(forking)
        except asyncio.CancelledError:
            self._give_up(forking)
            raise

    async def begin(self, fork: Fork, order: Order) -> None:
        """Give a process its order. If it has been killed, nothing happens."""
        # The pipe of a process that was stopped may be full.
        ordering = _bookkeeper.submit(_send_order, fork, order)
        if self._reserve is None:
            self._reserve = _bookkeeper.submit(self._fork)
        await asyncio.wrap_future(ordering)

    async def join(self, fork: Fork, seconds: float) -> None:
        """Let multiprocessing learn the exit code of a process that is dead."""
        joining = _bookkeeper.submit(fork.process.join, seconds)
        await asyncio.wrap_future(joining)

    def reap(self, fork: Fork) -> None:
        """Forget a process that is dead."""
        _bookkeeper.submit(_reap, fork)

    def _give_up(self, forking: Future[Fork]) -> None:
        if not forking.cancel():
            _bookkeeper.submit(_discard, forking)


def _do_nothing() -> None:
    """Be done when everything before is."""


def _fork(context: ForkServerContext, niceness: int) -> Fork:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    their_life, our_life = multiprocessing.Pipe(duplex=False)
    process = context.Process(target=serve, args=(theirs, their_life, niceness), daemon=True)
    try:
        with theirs, their_life:
            process.start()
    except (EOFError, OSError) as error:
        ours.close()
        our_life.close()
        raise ComputeDied("No compute process could be forked.") from error
    return Fork(process, os.pidfd_open(process.pid or 0), ours, our_life)


def _is_usable(forking: Future[Fork]) -> bool:
    """Whether it is being forked, or waits."""
    if not forking.done():
        return True
    if forking.exception() is not None:
        return False
    return not block_until_dead(forking.result().pidfd, 0)


def _send_order(fork: Fork, order: Order) -> None:
    with suppress(BrokenPipeError):
        fork.life.send(order)


def _discard(forking: Future[Fork]) -> None:
    if forking.exception() is None:
        fork = forking.result()
        send(signal.SIGKILL, fork.pidfd)
        os.close(fork.pidfd)
        _reap(fork)


def _reap(fork: Fork) -> None:
    fork.messages.close()
    fork.life.close()
    fork.process.join()
    fork.process.close()
