"""No test can hang, and nothing is left of a run, however it ends.

Each test here runs pytest on tests of its own, with the plugin of this suite.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.hanging import (
    CANNOT_STOP_A_WORKER,
    CATCHES_EVERYTHING,
    DIES_AFTER_ITS_TESTS,
    DIES_BESIDE_ANOTHER,
    HOLDS_THE_INTERPRETER,
    LEAVES_A_CHILD,
    STARTS_A_CHILD,
    WAITS_IN_A_FIXTURE,
    WAITS_IN_A_TEST,
)
from tests.support.helpers import ROOT, assert_eventually, process, said
from tests.support.processes import kill
from tests.support.running.guarding import PREFIX


class Run:
    """A run of pytest on one file, in a directory where only this run writes."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "test_inner.py"
        self._limits = {"test_limit": 600, "run_limit": 600}
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        (directory / "pytest.ini").write_text(
            "[pytest]\n"
            "asyncio_mode = auto\n"
            "asyncio_default_fixture_loop_scope = session\n"
            "asyncio_default_test_loop_scope = session\n"
            "addopts = -p xdist.plugin -p pytest_asyncio.plugin -p tests.support.running.guarding "
            "-p no:cacheprovider --max-worker-restart=0\n"
        )

    @contextmanager
    def started(
        self, tests: str, *arguments: str, **limits: int
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run these tests; what they print comes from one pipe."""
        self._file.write_text(tests)
        settings = [f"-o{name}={value}" for name, value in {**self._limits, **limits}.items()]
        with process(
            [sys.executable, "-m", "pytest", str(self._file), *settings, *arguments],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(self.temporary), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as run:
            yield run

    def ended(self, tests: str, *arguments: str, **limits: int) -> tuple[int, str]:
        """Run these tests to their end; return the exit code and what they have printed."""
        with self.started(tests, *arguments, **limits) as run:
            # The end of the pipe: no process that could write into it is left.
            printed, _ = run.communicate(timeout=100)
            return run.returncode, printed.decode()

    async def nothing_left(self) -> None:
        """Wait until no process and no file of the run is left."""

        async def look() -> bool:
            left = [each for each in psutil.process_iter() if self._is_ours(each)]
            assert not left, f"still there: {left}"
            files = list(self.temporary.iterdir())
            assert not files, f"still there: {files}"
            return True

        await assert_eventually(look)

    def _is_ours(self, each: psutil.Process) -> bool:
        try:
            ours = each.environ().get("TMPDIR", "").startswith(str(self.temporary))
            return ours and each.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.mark.parametrize(
    ("tests", "where"),
    [
        pytest.param(WAITS_IN_A_TEST, "task the one that waits", id="waits"),
        # `make test` is about the product: one of these would find most of what can go wrong.
        pytest.param(
            HOLDS_THE_INTERPRETER,
            "in test_holds",
            id="holds the interpreter",
            marks=pytest.mark.long,
        ),
        pytest.param(
            CATCHES_EVERYTHING, "in test_catches", id="catches everything", marks=pytest.mark.long
        ),
        pytest.param(
            WAITS_IN_A_FIXTURE, "in stays", id="in the end of a fixture", marks=pytest.mark.long
        ),
    ],
)
async def test_what_hangs_is_shown_and_ended(run: Run, tests: str, where: str) -> None:
    code, printed = run.ended(tests, "-n0", test_limit=3)
    assert code != 0
    assert "has taken more than 3 s" in printed
    assert where in printed
    await run.nothing_left()


@pytest.mark.long
async def test_a_worker_that_cannot_stop_is_ended(run: Run) -> None:
    code, printed = run.ended(CANNOT_STOP_A_WORKER, "-n0", test_limit=20)
    assert code != 0
    assert "test_inner.py::test_refuses has taken more than 20 s" in printed
    assert "in _handle_cache_eviction" in printed
    await run.nothing_left()


async def test_a_run_ends_when_one_of_its_processes_has_died(run: Run) -> None:
    code, printed = run.ended(DIES_BESIDE_ANOTHER, "-n2")
    assert code == 1
    assert "crashed while running 'test_inner.py::test_dies'" in printed
    assert re.search("the process gw[01] of tests has died, so the run ends", printed)
    assert "1 failed" in printed
    await run.nothing_left()


@pytest.mark.long
async def test_a_run_ends_with_a_process_whose_test_was_ended(run: Run) -> None:
    code, printed = run.ended(f"{WAITS_IN_A_TEST}\ndef test_short(): pass", "-n1", test_limit=3)
    assert code == 1
    assert "test_inner.py::test_waits has taken more than 3 s" in printed
    assert "the process gw0 of tests has died, so the run ends" in printed
    await run.nothing_left()


@pytest.mark.long
async def test_a_process_that_dies_between_tests_fails_the_run(run: Run) -> None:
    code, printed = run.ended(DIES_AFTER_ITS_TESTS, "-n1")
    assert code == 1
    assert "1 passed" in printed
    assert "+++ the process gw0 of tests has died" in printed
    await run.nothing_left()


@pytest.mark.long
async def test_a_run_is_bounded_as_well(run: Run) -> None:
    code, printed = run.ended(STARTS_A_CHILD, "-n1", run_limit=20)
    assert code != 0
    assert "the run has taken more than 20 s" in printed
    assert "in test_inner.py::test_starts (call)" in printed
    assert "in napping" in printed
    await run.nothing_left()


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
async def test_nothing_is_left_of_a_run_that_was_killed(run: Run, processes: str) -> None:
    with run.started(STARTS_A_CHILD, processes, "-s") as pytest_process:
        await said(pytest_process, "started")
        assert list(run.temporary.glob(f"{PREFIX}*"))
        kill(pytest_process.pid)
        pytest_process.wait()
        await run.nothing_left()


@pytest.mark.long
async def test_what_was_killed_with_its_guardian_is_ended_by_the_next_run(run: Run) -> None:
    with run.started(STARTS_A_CHILD, "-n0", "-s") as pytest_process:
        await said(pytest_process, "started")
        [guardian] = [
            each
            for each in psutil.Process(pytest_process.pid).children()
            if any("guardian.py" in word for word in each.cmdline())
        ]
        kill(guardian.pid)
        kill(pytest_process.pid)
        pytest_process.wait()
    code, printed = run.ended("def test_short(): pass", "-n0")
    assert code == 0, printed
    await run.nothing_left()


@pytest.mark.long
@pytest.mark.parametrize("processes", ["-n0", "-n1"])
async def test_a_run_that_leaves_a_process_behind_has_failed(run: Run, processes: str) -> None:
    code, printed = run.ended(LEAVES_A_CHILD, processes)
    assert code == 1
    assert "1 passed" in printed
    assert "left behind:\nsleep 3600" in printed
    await run.nothing_left()


@pytest.mark.long
@pytest.mark.parametrize("mark", ["timeout(3)", "long"])
async def test_a_marked_test_has_its_own_limit(run: Run, mark: str) -> None:
    marked = f"import pytest\npytestmark = pytest.mark.{mark}\n"
    begun = time.monotonic()
    code, printed = run.ended(marked + WAITS_IN_A_TEST, "-n0", long_limit=3)
    assert code != 0
    assert "has taken more than 3 s" in printed
    assert time.monotonic() - begun < 100
    await run.nothing_left()
