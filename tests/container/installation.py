"""An installation as an operator has it: a checkout, its `.env`, and the documented commands."""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.container.commands import PATIENCE, run
from tests.container.documentation import documented
from tests.container.engine import Engine
from tests.container.images import SECONDS_TO_BUILD
from tests.support.quant.data import walk, write_strategies

HOST: Final = {"Host": "localhost"}
"""What the API accepts, whatever the address under which it is reached."""

LEAK: Final = "of-the-operator"

# What an operator may have in the shell in which the commands are run.
_SHELL: Final = {
    "ANTHROPIC_API_KEY": LEAK,
    "KTRDR_ARTIFACTS_URL": LEAK,
    "KTRDR_DEPLOYMENT": LEAK,
    "KTRDR_HOME": LEAK,
    "KTRDR_LOG_FORMAT": LEAK,
    "OTEL_RESOURCE_ATTRIBUTES": f"service.name={LEAK}",
    "TEMPORAL_ADDRESS": LEAK,
    "TEMPORAL_NAMESPACE": LEAK,
}

# The server that stands in has its database in a file, and must not take minutes to look whether a
# version is drained.
_OVERRIDE: Final = """\
services:
  temporal:
    volumes: ["temporal:/data"]
    environment:
      MORE_DYNAMIC_CONFIG: >-
        matching.wv.VersionDrainageStatusRefreshInterval="1s"
        matching.wv.VersionDrainageStatusVisibilityGracePeriod="1s"
volumes:
  temporal:
"""

_SECONDS_BETWEEN_LOOKS: Final = 0.2


class Installation:
    """What an operator sees of an installation.

    Attributes:
        directory: the checkout.
        url: of the API as it is published.
    """

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.url = f"http://{engine.address}:8000"
        self.ui = f"http://{engine.address}:8233"
        self._environment = {**_SHELL, **engine.environment}
        self._own = {
            "KTRDR_PUBLISHED_API": f"{engine.address}:8000",
            "KTRDR_PUBLISHED_UI": f"{engine.address}:8233",
            "KTRDR_API_REPLICAS": "2",
            "KTRDR_TRAINING_WORKERS": "2",
            "KTRDR_COMPUTE_SLOTS": "2",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=production",
        }
        self._key = ""

    def start(self) -> float:
        """Follow the documentation up to the first start; return how long starting took.

        In seconds, on a machine that does nothing else: where others work it takes longer.
        """
        (self.directory / "docker-compose.override.yml").write_text(_OVERRIDE)
        *prepare, up = documented("First start").splitlines()
        build = next(number for number, line in enumerate(prepare) if "build" in line)
        self.shell("\n".join(prepare[:build]))
        self.set(**self._own)
        printed = self.shell("\n".join(prepare[build:]), within=SECONDS_TO_BUILD)
        found = re.search(r"ktrdr_[\w-]+", printed)
        assert found is not None, printed
        self._key = found[0]
        others = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        began = time.monotonic()
        self.shell(up)
        self.until_healthy()
        return (time.monotonic() - began) / others

    def set(self, **values: str) -> None:
        """Set variables in `.env`."""
        path = self.directory / ".env"
        kept = [
            line for line in path.read_text().splitlines() if line.partition("=")[0] not in values
        ]
        added = [f"{name}={value}" for name, value in values.items()]
        path.write_text("\n".join([*kept, *added, ""]))

    def shell(self, commands: str, *, within: float = PATIENCE) -> str:
        """Run commands of the documentation in the operator's shell; return what they print."""
        return run(
            *("bash", "-euo", "pipefail", "-c", commands),
            within=within,
            environment=self._environment,
            directory=self.directory,
        )

    def compose(self, *arguments: str, within: float = PATIENCE) -> str:
        """Run a `docker compose` command."""
        return run(
            *("docker", "compose", *arguments),
            within=within,
            environment=self._environment,
            directory=self.directory,
        )

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """Return what the engine knows of the containers that run, of one service or of all."""
        names = self.compose("ps", "--quiet", *([service] if service else [])).split()
        return json.loads(self.engine.docker("inspect", *names)) if names else []

    def until_healthy(self, within: float = PATIENCE) -> None:
        """Wait until every container is healthy, and the API says that all is there."""
        deadline = time.monotonic() + within
        while problem := self._problem():
            assert time.monotonic() < deadline, f"{problem}\n{self.logs()}"
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def logs(self) -> str:
        """Return the ends of all logs."""
        return self.compose("logs", "--tail", "20", "--no-color")[-20_000:]

    def client(self, url: str | None = None) -> httpx2.AsyncClient:
        """Return a client of the API as it is published, or of one of its replicas."""
        headers = {"Authorization": f"Bearer {self._key}", **HOST}
        return httpx2.AsyncClient(base_url=url or self.url, headers=headers, timeout=60)

    def replicas(self) -> list[str]:
        """Return the addresses of the API's replicas, which only this machine can reach."""
        return [f"http://{address_of(container)}:8000" for container in self.containers("api")]

    def bring_in_bars_and_strategies(self) -> None:
        """Write bars and strategies, and bring them in as the documentation says."""
        for name in ("bars", "strategies"):
            (self.directory / name).mkdir()
        walk(600, "1D").to_csv(self.directory / "bars/AAPL.csv", index=False)
        write_strategies(self.directory / "strategies")
        self.shell(documented("Bars and strategies"))

    def _problem(self) -> str | None:
        for container in self.containers():
            state = container["State"]
            if state.get("Health", {"Status": "healthy"})["Status"] != "healthy":
                return f"{container['Name']} is {state['Health']['Status']}"
        with contextlib.suppress(httpx2.HTTPError):
            answer = httpx2.get(f"{self.url}/health/ready", headers=HOST, timeout=10)
            return None if answer.is_success else answer.text
        return "the API does not answer"


def address_of(container: dict[str, Any]) -> str:
    """Return the address of a container in its network."""
    [network] = container["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def first_process(container: dict[str, Any]) -> int:
    """Return the process id, on this machine, of a container's first process."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if container["Id"] in (status.parent / "cgroup").read_text():
                inside = re.search(r"^NSpid:.*\t(\d+)$", status.read_text(), re.MULTILINE)
                if inside is not None and inside[1] == "1":
                    return int(status.parent.name)
    raise AssertionError(f"{container['Name']} has no process")


@contextlib.contextmanager
def paused(installation: Installation, service: str) -> Iterator[None]:
    """Suspend every process of a service."""
    installation.compose("pause", service)
    try:
        yield
    finally:
        installation.compose("unpause", service)
