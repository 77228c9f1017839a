import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from activities.llm.providers import KEY_VARIABLES
from tests.support.helpers import ROOT, process
from tests.support.processes import compute_processes, kill

JOBS = ("advance", "multiply_in_c", "sleep_in_c")


@pytest.mark.parametrize("stopped", [False, True])
def test_compute_does_not_outlive_a_worker_that_was_killed(tmp_path: Path, stopped: bool) -> None:
    command = [sys.executable, "-m", "tests.activities.worker_script", str(tmp_path), *JOBS]
    with process(command, cwd=ROOT, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert [worker.stdout.readline() for _ in JOBS] == [b"at work\n"] * len(JOBS)
        family = psutil.Process(worker.pid).children(recursive=True)
        computing = compute_processes(worker.pid)
        assert len(computing) == len(JOBS)
        for each in computing if stopped else ():
            each.suspend()
        kill(worker.pid)
        _, alive = psutil.wait_procs(family, timeout=30)
        for left in alive:
            left.kill()
        assert alive == []


def test_the_fork_server_forgets_the_keys_of_language_models() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import activities.computing.fork_server, os; print(*os.environ)"],
        cwd=ROOT,
        env=os.environ | dict.fromkeys(KEY_VARIABLES, "secret"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not set(KEY_VARIABLES) & set(shown.stdout.split())
