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
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

from opentelemetry import trace

from activities.computing.compute_process import Argument, Job, Message, Result, serve
from activities.computing.forking import configure_fork_server, start_fork_server
from activities.computing.processes import Processes, send, wait_until_readable
from activities.computing.slots import ComputeSlots, Slot
from activities.jobs import JobContext
from activities.tracing import inject_trace
from errors import ComputeDied, KtrdrError
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.record.trials import ReportTrial
from quant.processes import describe_end

_SECONDS_TO_END: Final = 5.0
_NOT_TOLD: Final = 255

_tracer = trace.get_tracer("ktrdr")


class JobFailed(KtrdrError):
    """A job raised an error. `reason` is that of the original error."""

    def __init__(self, reason: str, message: str, field: str | None) -> None:
        super().__init__(message, field=field)
        self.reason = reason


class Compute:
    """Runs jobs in processes. One per worker; `close` it when the worker has stopped.

    Args:
        slots: How many processes may compute at once.
        memory: Bytes that they may use together; None for no bound.
    """

    def __init__(self, slots: int, memory: int | None = None) -> None:
        self._slots = ComputeSlots(slots, memory)
        self._context = configure_fork_server()
        # multiprocessing's bookkeeping is not thread-safe: one thread starts and reaps processes.
        self._bookkeeper = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._processes = Processes()

    def warm_up(self) -> None:
        """Start loading the libraries in the background, before the first job needs them."""
        start_fork_server()

    def close(self) -> None:
        """Wait until the bookkeeping of ended processes is done."""
        self._bookkeeper.shutdown()

    def kill_all(self) -> None:
        """Kill every process and wait until they are dead; may be called in any thread."""
        self._processes.kill_all()

    async def run(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        *,
        returns: type[Result],
        report: ReportProgress,
        report_trial: ReportTrial = ignore_report,
        kind: str = "",
        helpers: int = 0,
    ) -> Result:
        """Run the job in its own process and return its result.

        However this coroutine ends, its process is dead by then, and so are those that it has
        started, or the job will never begin. No half-written file is left, and `report_trial` has
        received every trial.

        Args:
            job: The job.
            argument: Argument of the job.
            context: Context of the job.
            returns: Type of its result.
            report: Takes its progress.
            report_trial: Takes its trials.
            kind: Processes of one kind need about the same memory. By default the name of the job.
            helpers: How many further processes it may start, as far as slots are free.

        Raises:
            JobFailed: The job raised an error.
            ComputeDied: The process ended without a result.
        """
        async with self._slots.take(kind or job.__name__, report, helpers=helpers) as slot:
            return await self._run(job, argument, context, returns, report, report_trial, slot)

    async def _run(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        returns: type[Result],
        report: ReportProgress,
        report_trial: ReportTrial,
        slot: Slot,
    ) -> Result:
        context = replace(context, helpers=slot.helpers)
        with _trace(job.__name__):
            running = self._run_process(job, argument, context, report_trial, slot)
            async with running as (channel, process, pidfd):
                while (message := await _receive(channel)) is not None:
                    if message.progress:
                        report(message.progress)
                    elif message.trial:
                        report_trial(message.trial)
                    elif message.failure:
                        raise JobFailed(**message.failure.model_dump())
                    else:
                        return returns.model_validate(message.result)
                exit_code = await self._find_exit_code(process, pidfd)
        raise ComputeDied(f"The compute process {describe_end(exit_code)}.")

    @contextlib.asynccontextmanager
    async def _run_process(
        self,
        job: Job[Argument, Result],
        argument: Argument,
        context: JobContext,
        report_trial: ReportTrial,
        slot: Slot,
    ) -> AsyncIterator[tuple[Connection, ForkServerProcess, int]]:
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
            self._processes.add(pidfd)
            cancelled = False
            slot.pids.append(process.pid or 0)
            try:
                # Not before: a job that has ended already has no pidfd that could be opened.
                with contextlib.suppress(BrokenPipeError):  # The process was killed meanwhile.
                    our_life.send_bytes(b"")
                yield ours, process, pidfd
            except asyncio.CancelledError:
                cancelled = True
                raise
            finally:
                death = self._processes.kill(pidfd, before_others=cancelled)
                await _finish(asyncio.ensure_future(death))
                await _finish(asyncio.ensure_future(_drain(ours, report_trial)))
                context.open_artifacts().discard_unfinished(process.pid or 0)
                self._processes.remove(pidfd)
                self._bookkeeper.submit(_reap, process)

    async def _find_exit_code(self, process: ForkServerProcess, pidfd: int) -> int | None:
        """Return the exit code of a process that has closed its channel; None if it goes on."""
        try:
            async with asyncio.timeout(_SECONDS_TO_END):
                await wait_until_readable(pidfd)
                joining = self._bookkeeper.submit(process.join, _SECONDS_TO_END)
                await asyncio.wrap_future(joining)
        except TimeoutError:
            return None
        # What multiprocessing says when the fork server has not told it.
        return None if process.exitcode == _NOT_TOLD else process.exitcode

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
        send(signal.SIGKILL, pidfd)
        os.close(pidfd)
        _reap(process)


def _close(*ends: Connection) -> None:
    for end in ends:
        end.close()


def _reap(process: ForkServerProcess) -> None:
    process.join()
    process.close()


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


async def _receive(channel: Connection) -> Message | None:
    """Return the next message, or None when the process has ended."""
    await wait_until_readable(channel.fileno())
    return _read_message(channel)


async def _drain(channel: Connection, report_trial: ReportTrial) -> None:
    """Report the trials that nobody has read yet, until all processes have gone that write here.

    The helpers of a killed process die with it. They hold the other end of the channel.
    """
    while (message := await _receive(channel)) is not None:
        if message.trial:
            report_trial(message.trial)


def _read_message(channel: Connection) -> Message | None:
    try:
        return Message.model_validate_json(channel.recv_bytes())
    except (EOFError, OSError):
        return None
