"""What a process that computes owes to others: it lets them go first, and dies with its parent."""

import ctypes
import signal
from typing import Final

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG: Final = 1

NICENESS: Final = 10
"""Whoever answers requests and heartbeats goes first."""


def die_with_parent() -> None:
    """Let the system kill this process when its parent dies, also in a C call, also if stopped.

    A parent that has died before is not noticed.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
