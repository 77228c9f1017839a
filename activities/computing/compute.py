"""Computation that can be killed: every job runs in its own process.

A thread inside a C call notices a cancel only when the call returns. So every job runs in a child
process, which a cancel stops with SIGKILL. The processes are forked from a fork server that has
loaded the heavy libraries and used them once. A start costs milliseconds, and no job sees what
another one left in memory.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, Final

from opentelemetry import trace

from activities.computing.compute_process import Argument, Job, Message, Order, Result
from activities.computing.forking import start_fork_server
from activities.computing.forks import Fork, Forks
from activities.computing.processes import Processes, wait_until_readable
from activities.computing.slots import ComputeSlots, Slot
from activities.jobs import JobContext
from activities.tracing import inject_trace
from errors import ComputeDied, KtrdrError
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.record.trials import ReportTrial
from quant.processes import NICENESS, describe_end

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
        niceness: How far they let others go first.
    """

    def __init__(self, slots: int, memory: int | None = None, *, niceness: int = NICENESS) -> None:
        self._slots = ComputeSlots(slots, memory)
        self._forks = Forks(niceness)
        self._processes = Processes()
        self._ending: set[asyncio.Task[None]] = set()

    def warm_up(self) -> None:
        """Start loading the libraries in the background, before the first job needs them."""
        start_fork_server()

    async def close(self) -> None:
        """Wait until every process is dead, and the bookkeeping of them is done."""
        if self._ending:
            await asyncio.wait(self._ending)
        await self._forks.close()

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

        If this coroutine ends without a result, its process is dead by then, and so are those that
        it has started, or the job will never begin. No half-written file is left, and
        `report_trial` has received every trial. A process that has sent its result is killed, and
        only whoever needs its slot waits until it is dead.

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
        async with contextlib.AsyncExitStack() as held:
            taking = self._slots.take(kind or job.__name__, report, helpers=helpers)
            slot = await held.enter_async_context(taking)
            context = replace(context, helpers=slot.helpers)
            with _trace(job.__name__):
                order = Order(job, argument, context, inject_trace())
                fork = await held.enter_async_context(self._run_process(order, report_trial, slot))
                result = await self._follow(fork, report, report_trial)
            self._end_later(held.pop_all())
        return returns.model_validate(result)

    async def _follow(self, fork: Fork, report: ReportProgress, report_trial: ReportTrial) -> Any:
        """Pass on what a process reports until its result is there, and return that."""
        while (message := await _receive(fork.messages)) is not None:
            if message.progress:
                report(message.progress)
            elif message.trial:
                report_trial(message.trial)
            elif message.failure:
                raise JobFailed(**message.failure.model_dump())
            else:
                return message.result
        exit_code = await self._find_exit_code(fork)
        raise ComputeDied(f"The compute process {describe_end(exit_code)}.")

    @contextlib.asynccontextmanager
    async def _run_process(
        self, order: Order, report_trial: ReportTrial, slot: Slot
    ) -> AsyncIterator[Fork]:
        fork = await self._forks.take()
        self._processes.add(fork.pidfd)
        cancelled = False
        pid = fork.process.pid or 0
        slot.pids.append(pid)
        try:
            await self._forks.begin(fork, order)
            yield fork
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            death = self._processes.kill(fork.pidfd, before_others=cancelled)
            await _finish(asyncio.ensure_future(death))
            await _finish(asyncio.ensure_future(_drain(fork.messages, report_trial)))
            order.context.open_artifacts().discard_unfinished(pid)
            self._processes.remove(fork.pidfd)
            self._forks.reap(fork)

    async def _find_exit_code(self, fork: Fork) -> int | None:
        """Return the exit code of a process that has closed its channel; None if it goes on."""
        try:
            async with asyncio.timeout(_SECONDS_TO_END):
                await wait_until_readable(fork.pidfd)
                await self._forks.join(fork, _SECONDS_TO_END)
        except TimeoutError:
            return None
        # What multiprocessing says when the fork server has not told it.
        return None if fork.process.exitcode == _NOT_TOLD else fork.process.exitcode

    def _end_later(self, held: contextlib.AsyncExitStack) -> None:
        """Let a process whose result is there end, and then give up its slot."""
        ending = asyncio.create_task(held.aclose())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


@contextlib.contextmanager
def _trace(job: str) -> Iterator[None]:
    """Record a job as a span, and whether a cancel has killed it."""
    with _tracer.start_as_current_span(f"compute {job}") as span:
        try:
            yield
        except asyncio.CancelledError:
            span.set_attribute("ktrdr.killed", True)
            raise


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

    The helpers of a killed process die with it. They hold the other end of the channel. So does
    the fork server while it forks, and if it is stopped in that moment, nobody waits for it.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_END):
            while (message := await _receive(channel)) is not None:
                if message.trial:
                    report_trial(message.trial)


def _read_message(channel: Connection) -> Message | None:
    try:
        return Message.model_validate_json(channel.recv_bytes())
    except (EOFError, OSError):
        return None
