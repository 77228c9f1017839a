"""`deploy/prerequisites.sh`: what is missing on a machine is named, with what to do about it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import ROOT

# All that the script itself runs.
TOOLS = ("dirname", "sed", "sh", "uname")


def checked(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run the check, with this Python unless another one is named."""
    environment = os.environ | {"PYTHON": sys.executable} | settings
    return subprocess.run(
        ["sh", ROOT / "deploy" / "prerequisites.sh"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(**settings: str) -> str:
    """Return the one sentence with which the check refuses."""
    done = checked(**settings)
    assert done.returncode == 1
    assert not done.stdout
    [said] = done.stderr.splitlines()
    return said


def path_with(directory: Path, *tools: str) -> str:
    """Return a PATH on which there are these tools only."""
    for tool in tools:
        found = shutil.which(tool)
        assert found is not None
        (directory / tool).symlink_to(found)
    return str(directory)


def test_this_machine_has_all_that_is_needed() -> None:
    done = checked()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_python_that_is_not_there_is_named() -> None:
    assert "no Python at '/nowhere/python3'" in refusal(PYTHON="/nowhere/python3")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("sys.version_info = (3, 10, 99)", r"Python 3\.11 to 3\.14 is needed and '.+' is 3\."),
        ("sys.version_info = (3, 15, 0)", r"Python 3\.11 to 3\.14 is needed .*PYTHON=.*3\.14"),
        ("sys.implementation.name = 'pypy'", "The usual build of CPython is needed"),
        ("sysconfig.get_config_var = {'Py_GIL_DISABLED': 1}.get", "free-threaded"),
        ("sysconfig.get_platform = lambda: 'linux-i686'", r"64-bit Python .* is for linux-i686\."),
        ("sysconfig.get_platform = lambda: 'linux-riscv64'", r"x86-64 or ARM .* linux-riscv64\."),
        ("os.confstr = lambda name: 'glibc 2.27'", r"GNU C library 2\.28 or newer"),
        ("os.confstr = lambda name: None", "GNU C library"),
        ("del os.pidfd_open", r"Linux 5\.3 or newer is needed"),
        ("sys.modules['ensurepip'] = None", "apt-get install python3-venv"),
        ("sys.modules['venv'] = None", "apt-get install python3-venv"),
    ],
)
def test_a_python_or_a_machine_that_will_not_do_is_refused(
    fact: str, said: str, tmp_path: Path
) -> None:
    """The Python is this one, which believes that it were on another machine."""
    (tmp_path / "sitecustomize.py").write_text(f"import os, sys, sysconfig\n{fact}\n")
    assert re.search(said, refusal(PYTHONPATH=str(tmp_path)))


def test_a_library_that_is_not_there_is_named() -> None:
    assert "apt-get install libgomp1" in refusal(LIBGOMP="libnowhere.so.1")


def test_without_make_it_is_named(tmp_path: Path) -> None:
    assert "apt-get install make" in refusal(PATH=path_with(tmp_path, *TOOLS))


def test_another_system_is_refused(tmp_path: Path) -> None:
    path = path_with(tmp_path, "dirname", "sed", "sh", "make")
    (tmp_path / "uname").write_text("#!/bin/sh\necho Darwin\n")
    (tmp_path / "uname").chmod(0o755)
    assert "runs on Linux only, and this is Darwin" in refusal(PATH=path)
