"""Compute that can be killed: every job runs in its own process.

A thread inside one C call notices a cancel only when the call returns, so CPU work runs in a child
process, which is stopped with SIGKILL. The processes are forked from a fork server that has loaded
the heavy libraries and used them once; a start costs milliseconds, and no job sees what another
left in memory.
"""

import asyncio
import contextlib
import multiprocessing
import os
import select
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, Final

from opentelemetry import trace

from activities.compute_process import Argument, Job, Message, Result, serve
from activities.jobs import JobContext
from activities.tracing import carried
from errors import ComputeDied, KtrdrError
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.trials import ReportTrial, TrialOnBars

_tracer = trace.get_tracer("ktrdr")

_PRELOADED: Final = [
    "activities.fork_server",
    "activities.compute_process",
    "activities.rehearsal",
]


class JobFailed(KtrdrError):
    """A job raised an error. `reason` is that of the original error."""

    def __init__(self, reason: str, message: str, field: str | None) -> None:
        super().__init__(message, field=field)
        self.reason = reason


class Compute:
    """Runs jobs in processes. One per worker; `close` it when the worker has stopped."""

    def __init__(self) -> None:
        # Two researches use two cores better than eight library threads do, and a fork server
        # must not have threads.
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(variable, "1")
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        # multiprocessing's bookkeeping is not thread-safe: one thread starts and reaps processes.
        self._bookkeeper = ThreadPoolExecutor(1, thread_name_prefix="compute")
        # The pidfds of the processes at work.
        self._running: set[int] = set()

    def warm_up(self) -> None:
        """Start loading the libraries in the background, before the first job needs them."""
        forkserver.ensure_running()

    def close(self) -> None:
        """Wait until the bookkeeping of ended processes is done."""
        self._bookkeeper.shutdown()

    def kill_all(self) -> None:
        """Kill every process and wait until they are dead; may be called in any thread."""
        dying = list(self._running)
        for pidfd in dying:
            _send_kill(pidfd)
        for pidfd in dying:
            death = select.poll()
            death.register(pidfd, select.POLLIN)
            death.poll()

    async def run(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        *,
        returns: type[Result],
        report: ReportProgress,
        tried: ReportTrial = ignore_report,
    ) -> Result:
        """Run the job in its own process and return its result.

        When this coroutine ends, for whatever reason, no process works for it: it is dead, or it
        has not begun and never will. It has left no half-written file, and `tried` has received
        every trial.

        Raises:
            JobFailed: the job raised an error.
            ComputeDied: the process ended without a result.
        """
        with _traced(job.__name__):
            async with self._process(job, argument, context, tried) as channel:
                while (message := await _receive(channel)) is not None:
                    if message.progress:
                        report(message.progress)
                    elif message.tried:
                        tried(message.tried)
                    elif message.failure:
                        raise JobFailed(**message.failure.model_dump())
                    else:
                        return returns.model_validate(message.result)
        raise ComputeDied("the compute process was killed; is the machine out of memory?")

    @contextlib.asynccontextmanager
    async def _process(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        tried: ReportTrial,
    ) -> AsyncIterator[Connection]:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        # Carries one message, that the job may begin; closes when the worker ends.
        their_life, our_life = multiprocessing.Pipe(duplex=False)
        process = self._context.Process(
            target=serve,
            args=(theirs, their_life, job, argument, context, carried()),
            daemon=True,
        )
        with ours, our_life:
            pidfd = await self._started(process, theirs, their_life)
            self._running.add(pidfd)
            try:
                # Only now, because no pidfd can be opened for a job that has already ended.
                with contextlib.suppress(BrokenPipeError):  # It was killed meanwhile.
                    our_life.send_bytes(b"")
                yield ours
            finally:
                await _uninterrupted(asyncio.ensure_future(_kill(pidfd)))
                context.artifacts().discard_unfinished(process.pid or 0)
                for last_word in _unread(ours):
                    tried(last_word)
                self._running.discard(pidfd)
                os.close(pidfd)
                self._bookkeeper.submit(_reap, process)

    async def _started(self, process: ForkServerProcess, *their_ends: Connection) -> int:
        """Start the process and return its pidfd.

        A cancel does not wait for the start, which may take seconds: the fork server may still be
        loading its libraries, or other processes are started first.
        """
        starting = self._bookkeeper.submit(_start, process, *their_ends)
        try:
            return await asyncio.wrap_future(starting)
        except asyncio.CancelledError:
            if starting.cancel():
                _close(*their_ends)
            else:
                self._bookkeeper.submit(_discard, process, starting)
            raise


@contextlib.contextmanager
def _traced(job: str) -> Iterator[None]:
    """Show a job in the trace, and whether a cancel has killed it."""
    with _tracer.start_as_current_span(f"compute {job}") as span:
        try:
            yield
        except asyncio.CancelledError:
            span.set_attribute("ktrdr.killed", True)
            raise


def _start(process: ForkServerProcess, *their_ends: Connection) -> int:
    """Start a process, which waits for the word to begin; returns its pidfd."""
    try:
        process.start()
    finally:
        _close(*their_ends)
    # A pidfd, unlike a pid, can never mean another process.
    return os.pidfd_open(process.pid or 0)


def _discard(process: ForkServerProcess, starting: Future[int]) -> None:
    """End a process that nobody waits for any more when it has been started."""
    if starting.exception() is None:
        pidfd = starting.result()
        _send_kill(pidfd)
        os.close(pidfd)
        _reap(process)


def _close(*ends: Connection) -> None:
    for end in ends:
        end.close()


def _reap(process: ForkServerProcess) -> None:
    process.join()
    process.close()


async def _kill(pidfd: int) -> None:
    """Kill the process and wait until the system reports its death."""
    _send_kill(pidfd)
    await _readable(pidfd)


def _send_kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


async def _uninterrupted(work: asyncio.Future[Any]) -> None:
    """Await work to its end even if cancelled meanwhile; the cancel is raised afterwards."""
    interruption: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            # There may be more: an impatient caller cancels again.
            interruption = error
    if interruption:
        raise interruption
    work.result()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _receive(channel: Connection) -> Message | None:
    """Return the next message, or None when the process has ended."""
    await _readable(channel.fileno())
    return _next(channel)


def _unread(channel: Connection) -> Iterator[TrialOnBars]:
    """Yield the trials that a dead process had sent but that were not read."""
    while channel.poll() and (message := _next(channel)) is not None:
        if message.tried:
            yield message.tried


def _next(channel: Connection) -> Message | None:
    try:
        return Message.model_validate_json(channel.recv_bytes())
    except (EOFError, OSError):
        return None
