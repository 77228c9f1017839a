"""The plugin of pytest that puts every process of a run under a guardian (`guardian.py`).

A run has one directory, `ktrdr-tests-…`, for everything temporary. Each test is bounded, with its
fixtures and their ends: by the setting `test_limit`, by `long_limit` if it is marked `long`, or by
its own marker `timeout`. The run is bounded by `run_limit`. What passes a limit is named, with the
stacks of all its tasks, threads and children, and then killed. A run one of whose workers has died
ends at once: to replace it may take until the limit of the run. A run that leaves a process has
failed.
"""

import faulthandler
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from tests.support.running import guardian, stacks

PREFIX: Final = "ktrdr-tests-"

_LEFT: Final = "left"
_SECONDS_FOR_AN_ANSWER = 30.0


class Guarding:
    """This process of pytest, seen from its guardian.

    Args:
        directory: of the run, or of this worker of it.
        limit: of the run in seconds; infinite for a worker.
        keep: whether the directory stays when the run has ended.
    """

    def __init__(self, config: pytest.Config, directory: Path, limit: float, *, keep: bool) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self._left: list[str] = []
        self._dead = ""
        # Standard error may be captured later.
        self._error = os.dup(2)
        command = [sys.executable, "-I", "-S", guardian.__file__, str(directory), str(limit)]
        command += ["--keep"] if keep else []
        lock = None
        if not is_worker(config):
            lock = (directory / "lock").open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX)
            command += ["--sweep", PREFIX]
        self._lock = lock
        self._guardian = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C in a terminal, or the kill of a group, must not reach it.
            start_new_session=True,
            pass_fds=[lock.fileno()] if lock else [],
            env={name: value for name, value in os.environ.items() if name != guardian.VARIABLE},
        )
        if config.getoption("usepdb") or config.getoption("trace"):
            self._tell("off")
        os.environ[guardian.VARIABLE] = str(directory)
        # Its children show their stacks before they are killed.
        os.environ["PYTHONFAULTHANDLER"] = "1"
        # In this order: the C function shows the threads even if no Python can run any more.
        signal.signal(signal.SIGUSR1, self._show)
        faulthandler.register(signal.SIGUSR1, file=self._error, all_threads=True, chain=True)

    def _tell(self, order: str) -> None:
        assert self._guardian.stdin is not None
        os.write(self._guardian.stdin.fileno(), f"{order}\n".encode())

    def _show(self, _number: int, _frame: FrameType | None) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        captured = self._config.pluginmanager.getplugin("capturemanager")
        output = "".join(captured.read_global_capture()) if captured else ""
        shown = f"\n~~~ tasks of {os.getpid()}, in {test}\n{stacks.of_tasks()}"
        shown += f"~~~ its output\n{output}" if output else ""
        self._print(shown)
        self._tell("shown")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Bound a test, its fixtures and their ends."""
        self._tell(f"test {_get_limit(item)} {item.nodeid}")
        result = yield
        self._tell("done")
        return result

    def pytest_enter_pdb(self) -> None:
        """Give somebody who debugs all the time."""
        self._tell("off")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the run what a worker of it leaves behind."""
        self._session = session
        if is_worker(self._config):
            self._config.workeroutput[_LEFT] = self._family()  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Hear what a worker leaves behind, or that it has died."""
        self._left += getattr(node, "workeroutput", {}).get(_LEFT, [])
        if error:
            self._dead = f"the process {node.gateway.id} of tests has died"

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self) -> None:
        """End a run one of whose workers has died, when its test is reported."""
        if self._dead:
            pytest.exit(f"{self._dead}, so the run ends", pytest.ExitCode.TESTS_FAILED)

    def pytest_unconfigure(self) -> None:
        """Fail a run that leaves processes behind."""
        if is_worker(self._config) or self._session is None:
            return
        self._left += self._family()
        if self._dead:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._print(f"\n+++ {self._dead}\n")
        if self._left:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._print("\n+++ left behind:\n" + "".join(f"{each}\n" for each in self._left))

    def _print(self, text: str) -> None:
        os.write(self._error, text.encode(errors="replace"))

    def _family(self) -> list[str]:
        assert self._guardian.stdout is not None
        self._tell("family")
        if select.select([self._guardian.stdout], [], [], _SECONDS_FOR_AN_ANSWER)[0]:
            left: list[str] = json.loads(self._guardian.stdout.readline())
            return left
        return ["a guardian that does not answer"]


def _get_limit(item: pytest.Item) -> float:
    """Return how many seconds a test may take."""
    if own := item.get_closest_marker("timeout"):
        return float(own.args[0])
    name = "long_limit" if item.get_closest_marker("long") else "test_limit"
    return float(item.config.getini(name))


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes that the tests of a run are shared among."""
    return hasattr(config, "workerinput")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the limits."""
    parser.addini("test_limit", "seconds for a test, with its fixtures", default="120")
    parser.addini("long_limit", "seconds for a test that is marked as long", default="300")
    parser.addini("run_limit", "seconds for all tests", default="1800")
    parser.addoption("--keep", action="store_true", help="keep the directory of the run")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the directory of the run, before anything temporary is written, and guard it."""
    config.addinivalue_line("markers", "browser: tests of the page, left out by `make test`")
    config.addinivalue_line("markers", "long: left out by `make test`, and has a limit of its own")
    config.addinivalue_line("markers", "timeout(seconds): the limit of this test and its fixtures")
    keep = bool(config.getoption("keep"))
    if is_worker(config):
        limit = float("inf")
        worker: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
        directory = Path(os.environ[guardian.VARIABLE], worker["workerid"])
        directory.mkdir()
    else:
        limit = float(config.getini("run_limit"))
        directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        if config.option.basetemp is None:
            config.option.basetemp = str(directory / "pytest")
        if keep:
            sys.stderr.write(f"The directory of this run is {directory}\n")
    # A database runs as another user, who has to pass.
    directory.chmod(0o711)
    os.environ["TMPDIR"] = str(directory)
    tempfile.tempdir = None
    config.pluginmanager.register(Guarding(config, directory, limit, keep=keep), "guarding")
