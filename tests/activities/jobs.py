"""Jobs as a compute process may meet them."""

import ctypes
import os
import signal
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from activities.jobs import JobContext, Report
from errors import InvalidData
from quant.messages.data import DataSource
from quant.messages.progress import Progress, ReportProgress
from quant.messages.record.trials import Trial, TrialOnBars


class Argument(BaseModel):
    """Given to a job."""

    number: int = 0


class Answer(BaseModel):
    """What a job returns."""

    number: int
    pid: int


def answer(argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """Return the number."""
    return Answer(number=argument.number, pid=os.getpid())


def tell_niceness(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """Tell how far this process lets others go first."""
    return Answer(number=os.nice(0), pid=os.getpid())


def refuse(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """Find the data wrong."""
    raise InvalidData("row 3 is wrong", field="close")


def stumble(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """Hit an error that nobody expected."""
    raise ZeroDivisionError("one over zero")


def leave(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """End the process without a word."""
    os._exit(3)


def die(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """Be killed, as by the system when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def crash(_argument: Argument, _context: JobContext, _report: ReportProgress) -> Answer:
    """End as from an error in C."""
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def advance(_argument: Argument, _context: JobContext, report: ReportProgress) -> Answer:
    """Report progress, and wait to be stopped."""
    report(Progress(percentage=40.0, current_step="Fold 2"))
    signal.pause()
    raise AssertionError


def sleep_in_c(_argument: Argument, _context: JobContext, report: ReportProgress) -> Answer:
    """Spend an hour in one C call that does not even notice signals."""
    report(Progress(current_step="asleep"))
    # PyDLL keeps the interpreter's lock: no other thread of the process runs meanwhile.
    ctypes.PyDLL(None).sleep(3600)
    raise AssertionError


def multiply_in_c(_argument: Argument, _context: JobContext, report: ReportProgress) -> Answer:
    """Spend hours in one call of NumPy."""
    matrix = np.ones((2000, 2000))
    report(Progress(current_step="multiplying"))
    # Three at once, and not two by two, are so many multiplications that memory is no limit.
    np.einsum("ij,jk,kl->", matrix, matrix, matrix, optimize=False)
    raise AssertionError


def leave_a_child(_argument: Argument, context: JobContext, report: ReportProgress) -> Answer:
    """Have a child that outlives this process, and with it the other end of its channel."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        signal.pause()
        os._exit(0)
    Path(context.artifacts_url, "child").write_text(str(child))
    report(Progress(current_step="left a child"))
    signal.pause()
    raise AssertionError


def write_without_end(_argument: Argument, context: JobContext, report: ReportProgress) -> Answer:
    """Be in the middle of writing an artifact."""
    own = Path(context.artifacts_url) / context.operation_id
    own.mkdir(parents=True)
    with (own / f".model.txt.{os.getpid()}.part").open("wb") as file:
        file.write(b"half")
        file.flush()
        report(Progress(current_step="writing"))
        signal.pause()
    raise AssertionError


def try_without_end(argument: Argument, _context: JobContext, report: Report) -> Answer:
    """Try some candidates, say so, and wait to be stopped."""
    report(Progress(current_step="trying"))
    for number in range(argument.number):
        trial = Trial(number=number, fingerprint=f"{number}", sharpe=0.1, parameters={})
        report(TrialOnBars(data=DataSource(content_hash="bars"), trial=trial))
    signal.pause()
    raise AssertionError


def tell_of_pauses(_argument: Argument, _context: JobContext, report: Report) -> Answer:
    """Tell of each end of a pause, and of each SIGRTMIN, with the number of the signal.

    If both have arrived, the end of the pause is told first.
    """

    def tell(number: int, _frame: object) -> None:
        trial = Trial(number=number, fingerprint=f"{number}", sharpe=0.1, parameters={})
        report(TrialOnBars(data=DataSource(content_hash="bars"), trial=trial))

    for each in (signal.SIGCONT, signal.SIGRTMIN):
        signal.signal(each, tell)
    report(Progress(current_step="waiting"))
    while True:
        signal.pause()
