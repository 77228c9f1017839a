"""The processes below another one; any of them may end while it is looked at."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from activities.computing.processes import block_until_dead

_LONGEST_DEATH_MILLISECONDS: Final = 60_000


def compute_processes(worker_pid: int | None = None) -> list[psutil.Process]:
    """Return the processes that compute for a worker."""
    forked = _forked_processes(worker_pid or os.getpid())
    return [child for child, has_job in forked if has_job]


def reserve_processes() -> list[psutil.Process]:
    """Return the processes that wait for a job of this worker."""
    return [child for child, has_job in _forked_processes(os.getpid()) if not has_job]


def _forked_processes(worker_pid: int) -> Iterator[tuple[psutil.Process, bool]]:
    """Yield children of fork servers, and whether each has a job. Then it lets others go first."""
    for server in fork_servers(worker_pid):
        for child in _children(server):
            with contextlib.suppress(psutil.NoSuchProcess):
                if is_alive(child):
                    yield child, child.nice() > server.nice()


def fork_servers(worker_pid: int) -> list[psutil.Process]:
    """Return the processes that the compute processes of a worker are forked from."""
    return children_with("multiprocessing.forkserver", worker_pid)


def children_with(word: str, parent_pid: int) -> list[psutil.Process]:
    """Return the children of a process that have this word in their command."""
    return [child for child in _children(psutil.Process(parent_pid)) if word in _command(child)]


def _children(parent: psutil.Process) -> list[psutil.Process]:
    """Return the children as the kernel lists them. psutil would read every process there is."""
    found = []
    for thread in Path(f"/proc/{parent.pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            pids = thread.read_text().split()
            for pid in pids:
                with contextlib.suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(int(pid)))
    return found


def _command(child: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(child.cmdline())
    return ""


def is_alive(child: psutil.Process) -> bool:
    """Whether a process still runs. Its parent may not have noticed its end yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(child.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """Let a process do nothing in the block. It may be killed meanwhile.

    Raises:
        psutil.NoSuchProcess: It had ended before.
    """
    process.suspend()
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def kill(pid: int) -> None:
    """End a process as a crash or the system would."""
    os.kill(pid, signal.SIGKILL)


def kill_whole(pid: int) -> None:
    """End a process in the same way, and wait until all its threads have ended.

    Before, its parent cannot know of its death, and what it listens on still takes connections.
    """
    pidfd = os.pidfd_open(pid)
    try:
        kill(pid)
        assert block_until_dead(pidfd, _LONGEST_DEATH_MILLISECONDS), f"{pid} does not die"
    finally:
        os.close(pidfd)
