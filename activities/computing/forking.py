"""What the fork server loads, of which all compute processes are copies."""

import multiprocessing
import os
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Final

from activities.computing.environment import FEW_PAGES, ONE_THREAD

_PRELOADED: Final = [
    "activities.computing.fork_server",
    "activities.computing.compute_process",
    "activities.computing.warmup",
]


def configure_fork_server() -> ForkServerContext:
    """Say what the fork server of this process is to load. Return what starts its children."""
    # A fork server must not have threads at all.
    for variable, value in (ONE_THREAD | FEW_PAGES).items():
        os.environ.setdefault(variable, value)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def start_fork_server() -> None:
    """Let the fork server of this process load its libraries, unless it does so already.

    It dies with the thread that starts it, so that must be one that lives as long as the process.
    """
    configure_fork_server()
    forkserver.ensure_running()
