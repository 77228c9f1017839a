"""The Temporal server of an installation is the one with which everything else is tested."""

import mmap
import re
import subprocess
from pathlib import Path

import pytest

from cli.temporal_server import find_temporal
from settings import Settings
from temporal.dynamic_config import load_dynamic_config
from tests.compose.composition import SERVICES


@pytest.fixture(scope="module")
def executable() -> Path:
    """The `temporal` of the embedded stack and of all tests."""
    return Path(find_temporal(Settings().temporal_bin))


def test_server_tools_and_web_ui_are_of_the_embedded_versions(executable: Path) -> None:
    said = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"Server ([\d.]+), UI ([\d.]+)", said.stdout)
    assert found is not None, said.stdout
    server, ui = found.groups()
    pinned = {
        image
        for service in SERVICES.values()
        if (image := service["image"]).startswith("temporalio/")
    }
    assert pinned == {
        f"temporalio/server:{server}",
        f"temporalio/admin-tools:{server}",
        f"temporalio/ui:{ui}",
    }


def test_the_server_knows_every_key_of_the_dynamic_configuration(executable: Path) -> None:
    # It ignores a key that it does not know without a word, but it must name each that it does.
    with executable.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as code:
        assert code.find(b"system.enableCancelActivityWorkerOrder") == -1
        assert not [name for name in load_dynamic_config() if code.find(name.encode()) == -1]
