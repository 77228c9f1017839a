"""Computation that can be killed: every job runs in its own process.

A thread inside a C call notices a cancel only when the call returns. So every job runs in a child
process, which a cancel stops with SIGKILL. The processes are forked from a fork server that has
loaded the heavy libraries and used them once. A start costs milliseconds, and no job sees what
another one left in memory.
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
from activities.tracing import inject_trace
from errors import ComputeDied, KtrdrError
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.trials import ReportTrial, TrialOnBars

_tracer = trace.get_tracer("ktrdr")

_PRELOADED: Final = [
    "activities.fork_server",
    "activities.compute_process",
    "activities.warmup",
]


class JobFailed(KtrdrError):
    """A job raised an error. `reason` is that of the original error."""

    def __init__(self, reason: str, message: str, field: str | None) -> None:
        super().__init__(message, field=field)
        self.reason = reason


class Compute:
    """Runs jobs in processes. One per worker; `close` it when the worker has stopped."""

    def __init__(self) -> None:
        # Two researches use two cores better than eight library threads do. And a fork server must
        # not have threads.
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
        report_trial: ReportTrial = ignore_report,
    ) -> Result:
        """Run the job in its own process and return its result.

        However this coroutine ends, its process is dead by then, or will never begin the job. No
        half-written file is left, and `report_trial` has received every trial.

        Raises:
            JobFailed: The job raised an error.
            ComputeDied: The process ended without a result.
        """
        with _trace(job.__name__):
            async with self._run_process(job, argument, context, report_trial) as channel:
                while (message := await _receive(channel)) is not None:
                    if message.progress:
                        report(message.progress)
                    elif message.trial:
                        report_trial(message.trial)
                    elif message.failure:
                        raise JobFailed(**message.failure.model_dump())
                    else:
                        return returns.model_validate(message.result)
        raise ComputeDied("the compute process was killed; is the machine out of memory?")

    @contextlib.asynccontextmanager
    async def _run_process(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        report_trial: ReportTrial,
    ) -> AsyncIterator[Connection]:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        # Carries one message: the job may begin. Closes when the worker ends.
        their_life, our_life = multiprocessing.Pipe(duplex=False)
        process = self._context.Process(
            target=serve,
            args=(theirs, their_life, job, argument, context, inject_trace()),
            daemon=True,
        )
        with ours, our_life:
            pidfd = await self._start(process, theirs, their_life)
            self._running.add(pidfd)
            try:
                # Not before: a job that has ended already has no pidfd that could be opened.
                with contextlib.suppress(BrokenPipeError):  # The process was killed meanwhile.
                    our_life.send_bytes(b"")
                yield ours
            finally:
                await _finish(asyncio.ensure_future(_kill(pidfd)))
                context.open_artifacts().discard_unfinished(process.pid or 0)
                for trial in _read_remaining_trials(ours):
                    report_trial(trial)
                self._running.discard(pidfd)
                os.close(pidfd)
                self._bookkeeper.submit(_reap, process)

    async def _start(self, process: ForkServerProcess, *their_ends: Connection) -> int:
        """Start the process and return its pidfd.

        A cancel does not wait for the start. The start takes seconds while the fork server loads
        its libraries, or while other processes are started first.
        """
        starting = self._bookkeeper.submit(_start_process, process, *their_ends)
        try:
            return await asyncio.wrap_future(starting)
        except asyncio.CancelledError:
            if starting.cancel():
                _close(*their_ends)
            else:
                self._bookkeeper.submit(_discard, process, starting)
            raise


@contextlib.contextmanager
def _trace(job: str) -> Iterator[None]:
    """Record a job as a span, and whether a cancel has killed it."""
    with _tracer.start_as_current_span(f"compute {job}") as span:
        try:
            yield
        except asyncio.CancelledError:
            span.set_attribute("ktrdr.killed", True)
            raise


def _start_process(process: ForkServerProcess, *their_ends: Connection) -> int:
    """Start a process and return its pidfd. The job waits until it may begin."""
    try:
        process.start()
    finally:
        _close(*their_ends)
    # A pidfd, unlike a pid, can never mean another process.
    return os.pidfd_open(process.pid or 0)


def _discard(process: ForkServerProcess, starting: Future[int]) -> None:
    """Kill a process whose start was cancelled."""
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
    await _wait_until_readable(pidfd)


def _send_kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


async def _finish(work: asyncio.Future[Any]) -> None:
    """Await work to its end, and raise a cancel that arrives meanwhile afterwards."""
    interruption: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            # An impatient caller may cancel several times.
            interruption = error
    if interruption:
        raise interruption
    work.result()


async def _wait_until_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _receive(channel: Connection) -> Message | None:
    """Return the next message, or None when the process has ended."""
    await _wait_until_readable(channel.fileno())
    return _read_message(channel)


def _read_remaining_trials(channel: Connection) -> Iterator[TrialOnBars]:
    """Yield the trials that a dead process has sent and that nobody has read yet."""
    while channel.poll() and (message := _read_message(channel)) is not None:
        if message.trial:
            yield message.trial


def _read_message(channel: Connection) -> Message | None:
    try:
        return Message.model_validate_json(channel.recv_bytes())
    except (EOFError, OSError):
        return None
