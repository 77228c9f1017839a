"""A process that outlives a process of pytest: it ends what hangs, and what is left behind.

No limit inside a process is certain: code that holds the interpreter's lock, or catches every
exception, cannot be interrupted there. So the limits are kept outside. The guardian reads orders
from its input, one a line. The end of the input means that pytest has ended, however it happened.

    test SECONDS NAME   the limit of what begins now
    done                it has ended in time
    off                 somebody debugs: no limits from now on
    shown               the stacks that were asked for are printed
    family              answer, as a line of JSON, with the commands of what is still running

It imports nothing beyond the standard library, and starts in a few milliseconds.
"""

import argparse
import contextlib
import fcntl
import json
import math
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

VARIABLE: Final = "PYTEST_GUARDED"
"""In the environment of every process below pytest: the directory of its run, or of its worker."""

_SECONDS_TO_SHOW = 5.0
"""For stacks to be printed, by pytest and by its children; for children to end by themselves."""
_SECONDS_FOR_WORKERS = 2.0
"""For the stacks of pytest's workers, who tell their own guardians and not the one of the run."""
_SECONDS_TO_END = 30.0
_SECONDS_BETWEEN_LOOKS = 0.02
_LINES_OF_A_LOG = 200


def processes(directory: Path) -> Iterator[int]:
    """Yield the processes that were started below the pytest of this directory."""
    told = f"{VARIABLE}={directory}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if any(each == told or each.startswith(told + b"/") for each in variables):
                    yield int(entry.name)


def command(pid: int) -> str:
    """Return the command line of a process; nothing if it has ended."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b" ".join(words).decode(errors="replace").strip()
    return ""


def parent(pid: int) -> int:
    """Return the process that has started another one; 0 if it has ended."""
    with contextlib.suppress(OSError):
        # The name before it is in parentheses, and may have any character in it.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal that would end it otherwise."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def end(directory: Path) -> None:
    """Kill everything that was started below the pytest of this directory."""
    deadline = time.monotonic() + _SECONDS_TO_END
    while time.monotonic() < deadline:
        left = list(processes(directory))
        if not left:
            return
        for pid in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def sweep(directories: Iterable[Path]) -> None:
    """End and remove what is left of runs whose guardian was killed with them.

    A run and its guardian hold a lock on the file `lock` in its directory.
    """
    for directory in directories:
        with contextlib.suppress(OSError), (directory / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end(directory)
            remove(directory)


def remove(directory: Path) -> None:
    """Remove the files of a run, and nothing that is mounted there from elsewhere."""
    for point in reversed(list(_mounted(directory))):
        subprocess.run(["umount", "--lazy", point], check=False)
    if left := list(_mounted(directory)):
        _say(f"+++ not removed, because this is mounted there: {' '.join(left)}\n")
    else:
        shutil.rmtree(directory, ignore_errors=True)


def _mounted(directory: Path) -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        if Path(point).is_relative_to(directory):
            yield point


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def show_children(directory: Path, but: set[int]) -> None:
    """Print every process below pytest, and the stacks of those that run Python.

    Those have PYTHONFAULTHANDLER in their environment, so SIGABRT ends them with their stacks in
    their standard error. It is read here if it is a file.
    """
    children = [pid for pid in processes(directory) if pid not in but]
    asked = [pid for pid in children if catches(pid, signal.SIGABRT)]
    with contextlib.ExitStack() as stack:
        # Several processes may have the same file.
        logs = {each.key: each for pid in asked if (each := _errors(pid, stack))}
        for pid in children:
            _say(f"~~~ process {pid}: {command(pid)}\n")
        for pid in asked:
            _signal(pid, signal.SIGABRT)
        # Until they have ended, and so have written all.
        _until(lambda: not any(command(pid) for pid in asked), _SECONDS_TO_SHOW)
        for log in logs.values():
            _say(f"~~~ stacks in {log.path}\n{log.added()}")


class _Log:
    """What is written into a file from now on."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path = path
        self.key = os.fstat(file.fileno()).st_ino
        self._file = file
        file.seek(0, os.SEEK_END)

    def added(self) -> str:
        """Return the first lines that were added."""
        lines = self._file.read().decode(errors="replace").splitlines(keepends=True)
        return "".join(lines[:_LINES_OF_A_LOG])


def _errors(pid: int, stack: contextlib.ExitStack) -> _Log | None:
    """Return the standard error of a process if it is a file, even one that has been removed."""
    path = f"/proc/{pid}/fd/2"
    with contextlib.suppress(OSError):
        if stat.S_ISREG(Path(path).stat().st_mode):
            return _Log(str(Path(path).readlink()), stack.enter_context(Path(path).open("rb")))
    return None


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), text.encode())


class Guardian:
    """The guardian of the process that has started it.

    Args:
        directory: of the run or of the worker; see `VARIABLE`.
        seconds: limit of everything that pytest does; infinite for a worker of a run.
        keep: whether the directory stays.
    """

    def __init__(self, directory: Path, seconds: float, *, keep: bool) -> None:
        self._owner = os.getppid()
        self._directory = directory
        self._keep = keep
        self._seconds = seconds
        self._run_ends = time.monotonic() + seconds
        self._test_ends = math.inf
        self._test = ""
        self._input = sys.stdin.fileno()
        self._unread = b""
        self._shown = False

    def watch(self) -> None:
        """Return when pytest has ended, or has been ended because it has passed a limit."""
        try:
            while self._listen(min(self._run_ends, self._test_ends)):
                now = time.monotonic()
                if now >= self._test_ends:
                    self._give_up(self._test)
                elif now >= self._run_ends:
                    self._give_up(f"the run has taken more than {self._seconds:g} s")
        finally:
            end(self._directory)
            if not self._keep:
                remove(self._directory)

    def _listen(self, until: float) -> bool:
        """Follow the orders that arrive until this time; False if there will be no more."""
        # A limit that is far away is none for the system call.
        wait = min(max(until - time.monotonic(), 0), 86_400)
        if not select.select([self._input], [], [], wait)[0]:
            return True
        received = os.read(self._input, 65_536)
        *lines, self._unread = (self._unread + received).split(b"\n")
        for line in lines:
            self._follow(line.decode())
        return received != b""

    def _follow(self, order: str) -> None:
        match order.split(" ", 2):
            case ["test", seconds, name]:
                self._test = f"{name} has taken more than {float(seconds):g} s"
                self._test_ends = time.monotonic() + float(seconds)
            case ["done"]:
                self._test_ends = math.inf
            case ["off"]:
                self._test_ends = self._run_ends = math.inf
            case ["shown"]:
                self._shown = True
            case ["family"]:
                _answer(self._family())

    def _family(self) -> list[str]:
        """Return what is still running below pytest, after a moment in which it may end."""

        def others() -> list[int]:
            return [pid for pid in processes(self._directory) if not self._helps(pid)]

        _until(lambda: not others(), _SECONDS_TO_SHOW)
        return [command(pid) for pid in others()]

    def _helps(self, pid: int) -> bool:
        """Whether a process is pytest, or one of those of multiprocessing that end with it."""
        return pid == self._owner or (
            parent(pid) == self._owner and "from multiprocessing." in command(pid)
        )

    def _give_up(self, what: str) -> None:
        self._test_ends = self._run_ends = math.inf
        _say(f"\n+++ {what}\n")
        ours = {self._owner} | {
            pid for pid in processes(self._directory) if catches(pid, signal.SIGUSR1)
        }
        for pid in ours:
            if catches(pid, signal.SIGUSR1):
                _signal(pid, signal.SIGUSR1)
        deadline = time.monotonic() + _SECONDS_TO_SHOW
        while not self._shown and time.monotonic() < deadline and self._listen(deadline):
            pass
        if len(ours) > 1:
            time.sleep(_SECONDS_FOR_WORKERS)
        show_children(self._directory, ours)
        _say(f"+++ {what}: ended\n")
        _signal(self._owner, signal.SIGKILL)


def _answer(value: object) -> None:
    # Pytest may have ended meanwhile.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{json.dumps(value)}\n".encode())


def main() -> None:
    """Guard the process that has started this one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--sweep", metavar="PREFIX", help="also remove what earlier runs have left")
    told = parser.parse_args()
    if told.sweep:
        sweep(told.directory.parent.glob(f"{told.sweep}*"))
    Guardian(told.directory, told.seconds, keep=told.keep).watch()


if __name__ == "__main__":
    main()
