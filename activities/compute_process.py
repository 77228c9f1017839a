"""What happens in a compute process, from its start to its last message.

The fork server loads this module, which imports nothing that only a worker needs.
"""

import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from activities.jobs import JobContext, Report
from activities.tracing import continued
from errors import KtrdrError
from quant.messages.progress import Progress
from quant.messages.trials import TrialOnBars

NICENESS: Final = 10
_SECONDS_BETWEEN_REPORTS: Final = 0.25

_log = logging.getLogger(__name__)

Argument = TypeVar("Argument", bound=BaseModel)
Result = TypeVar("Result", bound=BaseModel)

Job = Callable[[Argument, JobContext, Report], Result]


class Failure(BaseModel):
    """The error that a job raised."""

    reason: str
    message: str
    field: str | None = None


class Message(BaseModel):
    """A message from a compute process to the worker: exactly one of these. JSON on the wire."""

    progress: Progress | None = None
    tried: TrialOnBars | None = None
    result: Any = None
    failure: Failure | None = None


def serve(
    channel: Connection,
    life_of_worker: Connection,
    job: Job[Argument, Result],
    argument: Argument,
    context: JobContext,
    trace: Mapping[str, str],
) -> None:
    """Do the job as soon as the worker allows it, report on it, and end with the worker.

    Args:
        channel: receives a `Message` for every report.
        life_of_worker: carries one message, that the job may begin; closes when the worker ends.
        job: what to compute.
        argument: of the job.
        context: of the job.
        trace: what the job is a part of, as `activities.tracing` carries it over.
    """
    # Requests to the API and the worker must not wait behind computation.
    os.nice(NICENESS)
    # Ctrl-C in a terminal reaches the whole process group; the worker decides what stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _await_word_to_begin(life_of_worker)
    _die_with(life_of_worker)

    last_report = float("-inf")

    def report(news: Progress | TrialOnBars) -> None:
        nonlocal last_report
        if isinstance(news, TrialOnBars):
            _send(channel, Message(tried=news))
        # A step may report every iteration; a few reports a second are enough.
        elif time.monotonic() - last_report >= _SECONDS_BETWEEN_REPORTS:
            last_report = time.monotonic()
            _send(channel, Message(progress=news))

    try:
        with continued(f"job {job.__name__}", trace):
            message = Message(result=job(argument, context, report))
    except KtrdrError as error:
        message = _failed(error.reason, error.message, error.field)
    except Exception as error:
        _log.exception("%s failed", job.__name__)
        message = _failed("internal", f"{type(error).__name__}: {error}")
    _send(channel, message)


def _failed(reason: str, text: str, field: str | None = None) -> Message:
    return Message(failure=Failure(reason=reason, message=text, field=field))


def _send(channel: Connection, message: Message) -> None:
    channel.send_bytes(message.model_dump_json().encode())


def _await_word_to_begin(life_of_worker: Connection) -> None:
    try:
        life_of_worker.recv_bytes()
    except EOFError:
        os._exit(1)


def _die_with(life_of_worker: Connection) -> None:
    """Let the system end this process when the worker's end of the pipe closes.

    This leaves no orphans after a crash, even inside a long C call during which no Python thread
    runs: the signal that announces input on the pipe ends a process that does not handle it.
    """
    descriptor = life_of_worker.fileno()
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    if life_of_worker.poll():
        os._exit(1)  # The worker ended before the signal was set up.
