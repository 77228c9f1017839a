"""A container engine of the tests' own, which takes everything that it has made with it."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.container.base import mirror
from tests.container.commands import run

_SCRIPT: Final = Path(__file__).with_name("engine.sh")
_PROGRAMS: Final = (
    "dockerd",
    "docker",
    "debootstrap",
    "iptables",
    "ip",
    "nsenter",
    "sysctl",
    "unshare",
)
ADDRESS: Final = "10.213.255.2"
"""Where this machine reaches what containers publish, as engine.sh says."""

_SECONDS_TO_START: Final = 60.0
# It has gigabytes of files to remove.
_SECONDS_TO_STOP: Final = 300.0
_SECONDS_BETWEEN_LOOKS: Final = 0.1


def what_is_missing() -> str | None:
    """Return why this machine cannot run containers, or None if it can."""
    if os.geteuid() != 0:
        return "only root can start a container engine"
    if absent := [program for program in _PROGRAMS if shutil.which(program) is None]:
        return f"these programs are missing: {', '.join(absent)}"
    for plugin in ("compose", "buildx"):
        asked = subprocess.run(["docker", plugin, "version"], capture_output=True, check=False)
        if asked.returncode:
            return f"the command `docker {plugin}` is missing"
    if mirror() is None:
        return "this is no Debian, whose packages the base images are made of"
    return None


class Engine:
    """A running engine.

    Attributes:
        environment: variables with which `docker` speaks to it, and nothing else of this machine.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._guard = subprocess.Popen(
            ["sh", str(_SCRIPT), str(directory)], stdin=subprocess.PIPE, start_new_session=True
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "DOCKER_HOST": f"unix://{directory}/socket",
            "DOCKER_BUILDKIT": "1",
        }
        self._wait()

    def docker(self, *arguments: str, within: float = 120.0) -> str:
        """Run a `docker` command, and return what it has printed."""
        return run("docker", *arguments, within=within, environment=self.environment)

    def cut_power(self) -> None:
        """Kill the engine with all its containers, and start it again."""
        assert self._guard.stdin is not None
        began = self._started()
        self._guard.stdin.write(b"\n")
        self._guard.stdin.flush()
        self._wait(after=began)

    def stop(self) -> None:
        """Stop the engine, and remove everything that it has made."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        assert self._guard.wait(_SECONDS_TO_STOP) == 0

    def _started(self) -> int:
        """Return how often the engine was started."""
        log = self._directory / "log"
        return log.read_text().count("API listen on") if log.exists() else 0

    def _wait(self, after: int = 0) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        while self._started() <= after:
            assert self._guard.poll() is None, "it has not even begun to start"
            assert time.monotonic() < deadline, (self._directory / "log").read_text()[-4000:]
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        self.docker("version")


@contextmanager
def running_engine() -> Iterator[Engine]:
    """Run an engine that leaves nothing behind."""
    # Not in /tmp, which may be in memory.
    engine = Engine(Path(tempfile.mkdtemp(prefix="ktrdr-engine-", dir="/var/tmp")))
    try:
        yield engine
    finally:
        engine.stop()


if __name__ == "__main__":
    raise SystemExit(what_is_missing())
