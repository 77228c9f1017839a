"""What the fork server loads, of which all compute processes are copies."""

import multiprocessing
import os
from multiprocessing.context import ForkServerContext
from typing import Final

from activities.computing.environment import ONE_THREAD

_PRELOADED: Final = [
    "activities.computing.fork_server",
    "activities.computing.compute_process",
    "activities.computing.warmup",
]


def configure_fork_server() -> ForkServerContext:
    """Say what the fork server of this process is to load. Return what starts its children."""
    # A fork server must not have threads at all.
    for variable, number in ONE_THREAD.items():
        os.environ.setdefault(variable, number)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context
