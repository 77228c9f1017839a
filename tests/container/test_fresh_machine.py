"""The README's two commands on machines that have its prerequisites and nothing else.

As for somebody who has just cloned it: in a path with a space, with pip set to install elsewhere,
and without network at first.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.container.commands import PATIENCE, run
from tests.container.engine import Engine
from tests.container.images import checkout
from tests.support.helpers import ROOT

pytestmark = pytest.mark.timeout(3600)

_HOMES: Final = {"root": "/root", "ann": "/home/ann"}
_SECONDS_TO_INSTALL: Final = 1500.0
# Of figures, and of PostgreSQL, which only tests bring.
_SOME_TESTS: Final = "tests/quant/backtest/test_random_entries.py tests/storage/test_ledger.py"
# Kills an installation as soon as it has begun to put packages in place.
_INTERRUPTED: Final = """
setsid make install & installing=$!
until ls .venv/lib/python3*/site-packages/numpy >/dev/null 2>&1; do
    kill -0 $installing || exit 3
    sleep 0.1
done
kill -KILL -$installing; wait $installing; test ! -e .venv/.installed-embedded
"""


class Machine:
    """A machine with this checkout in "my ktrdr", in the home of one of its users."""

    def __init__(self, engine: Engine, image: str, user: str) -> None:
        self.name = f"machine-of-{user}"
        self._engine = engine
        self._user = user
        self._directory = f"{_HOMES[user]}/my ktrdr"
        engine.docker("run", "--detach", "--name", self.name, image, "sleep", "infinity")

    def prepare(self, files: Path) -> None:
        """Install what the README names, and bring the checkout."""
        packages = re.search(r"`apt-get install ([a-z0-9 -]+)`", (ROOT / "README.md").read_text())
        assert packages is not None
        self._as_root(
            f"apt-get update -qq && apt-get install -qq --yes --no-install-recommends {packages[1]}"
        )
        if self._user != "root":
            self._as_root(f"useradd --create-home {self._user}")
        self._engine.docker("cp", f"{files}/.", f"{self.name}:/checkout")
        self._as_root(
            f"cp -r /checkout {shlex.quote(self._directory)}"
            f" && chown -R {self._user}: {_HOMES[self._user]}"
        )

    def network(self, *, connected: bool) -> None:
        """Plug the network in, or pull it."""
        what = "connect" if connected else "disconnect"
        self._engine.docker("network", what, "bridge", self.name)

    def attempt(self, command: str, within: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, as somebody who has set PIP_USER."""
        return subprocess.run(
            [
                *("docker", "exec", "--user", self._user, "--workdir", self._directory),
                *("--env", f"HOME={_HOMES[self._user]}", "--env", "PIP_USER=1"),
                *(self.name, "sh", "-c", command),
            ],
            env=self._engine.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within,
            check=False,
        )

    def succeed(self, command: str, within: float = PATIENCE) -> str:
        """Run a command in the checkout, which must succeed, and return what it has printed."""
        done = self.attempt(command, within)
        assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
        return done.stdout

    def stop(self) -> None:
        """Switch the machine off; the engine removes what is on it in the end."""
        self._engine.docker("kill", self.name)

    def _as_root(self, command: str) -> None:
        run(
            *("docker", "exec", "--env", "DEBIAN_FRONTEND=noninteractive"),
            *(self.name, "sh", "-c", command),
            environment=self._engine.environment,
        )


@pytest.fixture(scope="module")
def files(directory: Path) -> Path:
    """The checkout to bring."""
    return checkout(directory / "fresh")


# Every release, and every kind of user. Each machine takes minutes, so not every pair. The
# installation begins with Debian 12, so by the time of the second machine that has been made.
@pytest.fixture(params=[("trixie", "ann"), ("bookworm", "root")], ids="-".join)
def machine(engine: Engine, files: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A fresh machine with a release of Debian, in the hands of a user."""
    suite, user = request.param
    image: str = request.getfixturevalue(suite)
    made = Machine(engine, image, user)
    try:
        made.prepare(files)
        yield made
    finally:
        made.stop()


def test_the_commands_of_the_readme_work(machine: Machine) -> None:
    machine.network(connected=False)
    refused = machine.attempt("make research")
    assert refused.returncode
    assert "Could not fetch URL" in refused.stdout
    assert "name resolution" in refused.stdout

    machine.network(connected=True)
    machine.succeed(_INTERRUPTED, _SECONDS_TO_INSTALL)
    printed = machine.succeed("make research ARGS='--trials 2 --seed 1'", _SECONDS_TO_INSTALL)
    assert re.search(r"^Verdict: \w+$", printed, re.MULTILINE)
    assert not machine.succeed("find .venv -iname '*schemathesis*' -o -iname '*pgserver*'")
    assert not machine.succeed("find ~/.local -name 'site-packages' 2>/dev/null || true")

    machine.network(connected=False)
    machine.succeed("make research ARGS='--trials 2 --seed 1'")

    machine.network(connected=True)
    tested = machine.succeed(f"make test ARGS='{_SOME_TESTS}'", _SECONDS_TO_INSTALL)
    assert re.search(r"^=+ \d+ passed.* in ", tested, re.MULTILINE)
