"""The processes of `docker-compose.yml` work together as it says.

There need not be a container engine: the same commands run with the same environment, on the same
kinds of servers, with the addresses of this machine in place of the containers' names.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from bench.ports import free_ports
from tests.api.answers import accepted, ended
from tests.compose.composition import SERVICES, WORKERS, health_check
from tests.support.data import write_strategies
from tests.support.helpers import (
    KTRDR,
    ROOT,
    assert_eventually,
    dev_server,
    process,
    until_ready,
)
from tests.support.postgresql import postgresql_server
from tests.support.processes import kill


class Installation:
    """The services of ours, as processes."""

    def __init__(self, home: Path, temporal: str, ledger: str) -> None:
        self.ring = KeyRing(home / "secrets" / "api-keys.json")
        self._home = home
        self._here = {
            "TEMPORAL_ADDRESS": temporal,
            "KTRDR_LEDGER_URL": ledger,
            "KTRDR_API_HOST": "127.0.0.1",
            "KTRDR_API_KEYS": str(self.ring.path),
            "KTRDR_HOME": str(home / "state"),
        }

    def environment(self, service: str, **more: str) -> dict[str, str]:
        """Return the environment of a service; what it is told is told, with our addresses."""
        told = {
            name: re.sub(r"\$\{[^}]*\}", "", str(value or ""))
            for name, value in SERVICES[service]["environment"].items()
        }
        told["KTRDR_ALIVE_FILE"] = self._alive_file(service)
        here = {name: value for name, value in self._here.items() if name in told}
        own = {"KTRDR_HOME": self._here["KTRDR_HOME"]}
        return {**os.environ, **own, **told, **here, **more}

    def command(self, service: str) -> list[str]:
        """Return the command of a service."""
        program, *arguments = SERVICES[service]["command"]
        return [{"python": sys.executable, "ktrdr": KTRDR}[program], *arguments]

    async def healthy(self, service: str, port: int = 8000) -> bool:
        """Run the health check of a service, with what of this machine stands for its container."""
        replaced = {
            "python": sys.executable,
            SERVICES[service]["environment"]["KTRDR_ALIVE_FILE"]: self._alive_file(service),
            ":8000/": f":{port}/",
        }
        command = health_check(service)
        for told, here in replaced.items():
            command = [part.replace(told, here) for part in command]
        code, _ = await self.run(service, *command)
        return code == 0

    def _alive_file(self, service: str) -> str:
        return str(self._home / f"{service}.alive")

    @contextmanager
    def running(self, service: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service."""
        with (
            (self._home / f"{service}.log").open("ab") as log,
            process(
                self.command(service),
                cwd=ROOT,
                env=self.environment(service, **more),
                stdout=log,
                stderr=log,
            ) as started,
        ):
            yield started

    async def run(self, service: str, *command: str) -> tuple[int, str]:
        """Run a command of a service to its end; return its exit code and what it has printed."""
        started = await asyncio.create_subprocess_exec(
            *(command or self.command(service)),
            env=self.environment(service),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await started.communicate()
        return started.returncode or 0, printed.decode()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with dev_server(tmp_path) as temporal, postgresql_server() as ledger:
        strategies = tmp_path / "state" / "strategies"
        strategies.mkdir(parents=True)
        write_strategies(strategies)
        yield Installation(tmp_path, temporal, ledger)


@pytest.mark.timeout(360)
async def test_the_processes_do_what_the_file_says(installation: Installation) -> None:
    token = installation.ring.add("team", "ada", (Scope.READ, Scope.RUN, Scope.CANCEL))
    code, printed = await installation.run("setup")
    assert code == 0, printed
    assert "search attribute Owner registered" in printed
    assert "ledger created at revision" in printed
    assert await installation.run("setup") == (0, "Nothing to do.\n")

    ports = free_ports(2)
    async with AsyncExitStack() as clients:
        stack = clients.enter_context(ExitStack())
        workers = {name: stack.enter_context(installation.running(name)) for name in WORKERS}
        replicas = [
            stack.enter_context(installation.running("api", KTRDR_API_PORT=str(port)))
            for port in ports
        ]
        first, second = [
            await clients.enter_async_context(
                httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=30,
                )
            )
            for port in ports
        ]

        await until_ready(first, second)
        assert await installation.run("api", KTRDR, "admin", "health") == (
            0,
            "Temporal and the ledger are reachable.\n",
        )
        for name in WORKERS:
            assert await installation.healthy(name), name
        for port in ports:
            assert await installation.healthy("api", port)

        async def start(api: httpx2.AsyncClient, **request: object) -> str:
            body = {"seed": 1, "bypass_gates": True, **request}
            return str(accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"])

        short = [await start(api, trials=2) for api in (first, second)]
        endless = await start(first, trials=10_000)
        cancelled = accepted(await second.delete(f"/agent/cancel/{endless}?wait=20"))
        assert cancelled["status"] == "cancelled"

        # A worker and a replica die in the middle of it, and come back.
        in_flight = await start(first, strategy="steady")

        async def training() -> bool:
            step = accepted(await second.get(f"/operations/{in_flight}.training"))["data"]
            return bool(step["progress"]["percentage"])

        await assert_eventually(training)
        for died in (workers["worker-training"], replicas[0]):
            kill(died.pid)
            died.wait()
        assert not await installation.healthy("api", ports[0])
        interrupted = accepted(await second.get(f"/operations/{in_flight}"))["data"]
        assert (interrupted["status"], interrupted["phase"]) == ("running", "training")

        stack.enter_context(installation.running("worker-training"))
        stack.enter_context(installation.running("api", KTRDR_API_PORT=str(ports[0])))
        await until_ready(first)
        assert await installation.healthy("api", ports[0])
        for operation_id in (*short, in_flight):
            assert (await ended(first, operation_id))["status"] == "completed"
        listed = accepted(await first.get("/experiments"))
        assert {row["operation_id"] for row in listed["data"]} == {*short, endless, in_flight}
        assert {row["owner"] for row in listed["data"]} == {"ada"}
