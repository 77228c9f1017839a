"""What happens in a compute process, from its start to its last message.

The fork server loads this module, which imports nothing that only a worker needs.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel

from activities.jobs import JobContext, Report
from activities.tracing import continue_trace
from errors import ComputeDied, KtrdrError, Unexpected
from quant.messages.progress import Progress
from quant.messages.record.trials import TrialOnBars
from quant.processes import die_with_parent

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
    """A message from a compute process to the worker, sent as JSON. Exactly one field is set."""

    progress: Progress | None = None
    trial: TrialOnBars | None = None
    result: Any = None
    failure: Failure | None = None


class Order(NamedTuple):
    """What a compute process is to do.

    Attributes:
        job: The job.
        argument: Argument of the job.
        context: Context of the job.
        trace: The trace to which the job belongs, from `inject_trace`.
    """

    job: Callable[[Any, JobContext, Report], Any]
    argument: BaseModel
    context: JobContext
    trace: Mapping[str, str]


def serve(channel: Connection, life_of_worker: Connection, niceness: int) -> None:
    """Wait for an order, carry it out and report on it. End if the worker ends.

    Args:
        channel: Takes a `Message` for every report, and one for the result.
        life_of_worker: Carries one `Order`. Closes when the worker ends.
        niceness: How far to let others go first.
    """
    # The fork server dies with the worker. This process does so then, even if it was stopped.
    die_with_parent()
    order = _wait_for_order(life_of_worker)
    # Requests to the API and the worker must not wait behind computation.
    os.nice(niceness)
    _die_with(life_of_worker)

    last_report = float("-inf")

    def report(news: Progress | TrialOnBars) -> None:
        nonlocal last_report
        if isinstance(news, TrialOnBars):
            _send(channel, Message(trial=news))
        # A step may report every iteration. A few reports a second are enough.
        elif time.monotonic() - last_report >= _SECONDS_BETWEEN_REPORTS:
            last_report = time.monotonic()
            _send(channel, Message(progress=news))

    channel.send_bytes(do_job(order, report))


def do_job(order: Order, report: Report) -> bytes:
    """Do a job, and return the `Message` with its result or with the error that it raised.

    No error but ours leaves here. The stack trace of another one is in the log only.
    """
    name = order.job.__name__
    try:
        with continue_trace(f"job {name}", order.trace):
            message = Message(result=order.job(order.argument, order.context, report))
        return message.model_dump_json().encode()
    except KtrdrError as error:
        return _encode_failure(error)
    except MemoryError:
        return _encode_failure(
            ComputeDied(
                f"The step {name} needs more memory than there is. Use fewer bars, or "
                "lower KTRDR_COMPUTE_SLOTS."
            )
        )
    except Exception as error:
        _log.exception("%s failed", name)
        return _encode_failure(Unexpected(f"step {name}", error))


def _encode_failure(error: KtrdrError) -> bytes:
    failure = Failure(reason=error.reason, message=error.message, field=error.field)
    return Message(failure=failure).model_dump_json().encode()


def _send(channel: Connection, message: Message) -> None:
    channel.send_bytes(message.model_dump_json().encode())


def _wait_for_order(life_of_worker: Connection) -> Order:
    try:
        order: Order = life_of_worker.recv()
    except EOFError:
        os._exit(1)
    return order


def _die_with(life_of_worker: Connection) -> None:
    """Let the system end this process when the worker's end of the pipe closes.

    The kernel then sends SIGIO, which ends a process that does not handle it. No Python code has to
    run for that, so a worker that crashes leaves no orphan behind, not even in a long C call.
    """
    descriptor = life_of_worker.fileno()
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    if life_of_worker.poll():
        os._exit(1)  # The worker ended before the signal was set up.
