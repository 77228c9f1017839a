"""`deploy/install.sh` where it cannot succeed. That it does is shown by every other test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import ROOT, free_port

LOCK = f"ktrdr-nowhere==1 --hash=sha256:{'0' * 64}\n"


def installed(directory: Path, venv: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Install a lock of one package into a virtual environment in a directory."""
    lock = directory / "a lock"
    lock.write_text(LOCK)
    return subprocess.run(
        ["sh", ROOT / "deploy" / "install.sh", directory / venv, lock],
        env=os.environ | {"PYTHON": sys.executable, "PIP_CONFIG_FILE": os.devnull} | settings,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_why_no_virtual_environment_can_be_made_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = installed(tmp_path, "file/venv")
    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert "check that this directory is writable" in done.stderr


@pytest.mark.long
def test_a_failed_installation_says_why_and_leaves_nothing_half_installed(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/simple"
    done = installed(tmp_path, "a b/venv", PIP_INDEX_URL=nobody, PIP_RETRIES="0")
    assert done.returncode == 1
    assert f"Could not fetch URL {nobody}" in done.stderr
    assert "Connection refused" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("repeat the command to continue.")

    [packages] = tmp_path.glob("a b/venv/lib/python3.*/site-packages")
    half = packages / "ktrdr_nowhere-1.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: ktrdr-nowhere\nVersion: 1\n")
    again = installed(tmp_path, "a b/venv", PIP_NO_INDEX="1")
    assert not half.exists()
    assert "No matching distribution found for ktrdr-nowhere==1" in again.stderr
    assert [each.name for each in packages.glob("pip-*.dist-info")]
