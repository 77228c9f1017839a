"""A container engine of the tests' own, which takes everything that it has made with it."""

import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.container.base import mirror
from tests.container.commands import PATIENCE, run
from tests.support.running.guardian import VARIABLE

_SCRIPT: Final = Path(__file__).with_name("engine.sh")
_PROGRAMS: Final = (
    *("dockerd", "docker", "debootstrap", "flock", "iptables", "ip", "nsenter", "sysctl"),
    "unshare",
)

# Of an engine that only shows whether this machine can run one.
_TRIAL: Final = 13
_SECONDS_TO_START: Final = 180.0
# It has gigabytes of files to remove.
_SECONDS_TO_STOP: Final = 900.0
# For the engine of tests that were killed to remove them.
_PATIENCE: Final = 300


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
    try:
        with running_engine(_TRIAL):
            return None
    except AssertionError as error:
        return f"a container engine cannot run here: {error}"


class Engine:
    """A running engine.

    Args:
        number: from 0 to 14; one engine with each can run on a machine.
        patience: seconds to wait for the engine with this number to end.

    Attributes:
        pid: of the process that removes everything in the end.
        directory: with all that it has made.
        address: where this machine reaches what containers publish.
        environment: variables with which `docker` speaks to it, and nothing else of this machine.
    """

    def __init__(self, number: int, *, patience: int = _PATIENCE) -> None:
        # As engine.sh says.
        self.directory = Path(f"/var/tmp/ktrdr-engine-{number}")
        self.address = f"10.213.255.{4 * number + 2}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "DOCKER_HOST": f"unix://{self.directory}/socket",
            "DOCKER_BUILDKIT": "1",
        }
        self._guard = subprocess.Popen(
            ["sh", str(_SCRIPT), str(number), str(patience)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # When the tests are killed it must live on, until it has removed everything.
            env={name: value for name, value in os.environ.items() if name != VARIABLE},
        )
        self.pid = self._guard.pid
        self._wait()

    def docker(self, *arguments: str, within: float = PATIENCE) -> str:
        """Run a `docker` command, and return what it has printed."""
        return run("docker", *arguments, within=within, environment=self.environment)

    def cut_power(self) -> None:
        """Kill the engine with all its containers, and start it again."""
        assert self._guard.stdin is not None
        self._guard.stdin.write(b"\n")
        self._guard.stdin.flush()
        self._wait()

    def stop(self) -> None:
        """Stop the engine, and remove everything that it has made."""
        _, complaints = self._guard.communicate(timeout=_SECONDS_TO_STOP)
        assert self._guard.returncode == 0, complaints.decode(errors="replace")

    def _wait(self) -> None:
        """Return when it has started."""
        output = self._guard.stdout
        assert output is not None
        ready, _, _ = select.select([output], [], [], _SECONDS_TO_START)
        if not ready or os.read(output.fileno(), 100) != b"started\n":
            self.stop()
            raise AssertionError("the engine has not started")


@contextmanager
def running_engine(number: int) -> Iterator[Engine]:
    """Run an engine that leaves nothing behind."""
    engine = Engine(number)
    try:
        yield engine
    finally:
        engine.stop()


if __name__ == "__main__":
    raise SystemExit(what_is_missing())
