"""What a process owes to others: it lets them go first, and dies with its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG: Final = 1

NICENESS: Final = 10
"""How far computation lets others go first, as `nice` counts it. They answer requests."""


def die_with_parent() -> None:
    """Let the system kill this process when its parent dies, also in a C call, also if stopped.

    To the system the parent is the thread that has started this process. A parent that has died
    before is not noticed.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def bind_to_parent(command: Sequence[str]) -> list[str]:
    """Return a command line that runs a command as a process that dies with this one.

    The process becomes the command, so their ids are the same. Its own children are not bound.

    Args:
        command: An executable and its arguments. The executable is looked for in PATH.
    """
    # Not in `preexec_fn`, which runs Python between fork and exec: this process may have threads.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def describe_end(exit_code: int | None) -> str:
    """Return how a process has ended, as the end of a sentence.

    Args:
        exit_code: As in `subprocess`: negative for a signal. None if it is not known.
    """
    if exit_code is None:
        return "ended without a result; its exit code is not known"
    if exit_code >= 0:
        return f"ended without a result and with exit code {exit_code}; see the log of the worker"
    number = -exit_code
    name = next((each.name for each in signal.Signals if each == number), f"signal {number}")
    if number == signal.SIGKILL:
        # The one signal that a process which needs too much memory is sent.
        name = f"{name}, as the system does when memory runs out; its log (`dmesg`) says so then"
    return f"was killed by {name}"


def _become(parent: int, command: list[str]) -> None:
    die_with_parent()
    if os.getppid() == parent:
        os.execvp(command[0], command)  # noqa: S606 - the command is ours


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
