"""The engine of the tests says why it cannot start, and leaves nothing on the machine."""

import signal
import subprocess
import sys
import time
from typing import Final

import pytest

from tests.container.commands import run
from tests.container.engine import Engine, running_engine
from tests.support.helpers import ROOT

# None that a process of pytest uses.
NUMBER: Final = 14
NAME: Final = f"ktrdr-tests-{NUMBER}"
SECONDS_TO_REMOVE: Final = 60.0

# Is killed while it uses an engine.
RUN: Final = f"""
import os, signal
from tests.container.engine import Engine
engine = Engine({NUMBER})
for pid in {{killed}}:
    os.kill(pid, signal.SIGKILL)
"""

pytestmark = [
    pytest.mark.usefixtures("able"),
    pytest.mark.timeout(600),
]


def left() -> list[str]:
    """Return what is left of the engine on this machine."""
    asked = (
        ("iptables-save",),
        ("ip", "-brief", "link"),
        ("ip", "netns", "list"),
        ("ps", "-eo", "args"),
        ("ls", "/var/tmp"),
        ("find", "/sys/fs/cgroup", "-maxdepth", "2"),
    )
    lines = [line for each in asked for line in run(*each).splitlines()]
    names = (f"{NAME} ", f"{NAME}@", f"ktrdr-engine-{NUMBER}")
    return [line for line in lines if any(name in f"{line} " for name in names)]


def run_and_kill(killed: str) -> None:
    """Run an engine, and kill these processes."""
    command = [sys.executable, "-c", RUN.format(killed=killed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_tests_that_are_killed_leave_nothing() -> None:
    run_and_kill("[os.getpid()]")
    deadline = time.monotonic() + SECONDS_TO_REMOVE
    while found := left():
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_what_is_left_of_a_killed_engine_is_removed_by_the_next() -> None:
    run_and_kill("[engine.pid, os.getpid()]")
    assert left()
    with running_engine(NUMBER) as engine:
        assert engine.docker("info")
    assert not left()


def test_an_engine_that_cannot_start_says_why() -> None:
    with running_engine(NUMBER):
        with pytest.raises(AssertionError, match="these tests already run on this machine"):
            Engine(NUMBER, patience=0)
        assert left()
    assert not left()
