"""Whatever stops a benchmark, its processes end with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM, Signals

import psutil
import pytest

from tests.support.helpers import PATIENCE, ROOT, process


@contextmanager
def waiting(what: str, directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a benchmark until it waits; yield it and how many processes it has started by then.

    They must end, and the benchmark, too, after the block.
    """
    command = [sys.executable, "-m", "tests.e2e.stopped_bench", what]
    environment = os.environ | {"TMPDIR": str(directory)}
    with process(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == b"waiting\n"
        family = psutil.Process(bench.pid).children(recursive=True)
        yield bench, len(family)
        bench.wait(PATIENCE)
    _, left = psutil.wait_procs(family, timeout=PATIENCE)
    for each in left:
        each.kill()
    assert left == []


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory. The paths of sockets below it must not be long."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.long
def test_a_killed_benchmark_leaves_no_process(directory: Path) -> None:
    with waiting("compute", directory) as (bench, processes):
        # Temporal, API, worker, its fork server, and what that has forked.
        assert processes >= 5
        bench.send_signal(SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize("number", [SIGTERM, SIGHUP])
def test_a_stopped_benchmark_leaves_neither_process_nor_file(
    directory: Path, number: Signals
) -> None:
    with waiting("write", directory) as (bench, processes):
        assert processes == 1
        bench.send_signal(number)
    assert list(directory.iterdir()) == []
