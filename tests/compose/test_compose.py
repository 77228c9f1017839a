"""`docker-compose.yml`: valid, complete, and its processes work together as it says.

There need not be a container engine: the same commands run with the same environment, on the same
kinds of servers, with the addresses of this machine in place of the containers' names.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from api.keys import KeyRing
from api.scopes import Scope
from bench.ports import free_ports
from tests.api.answers import accepted, ended
from tests.helpers import KTRDR, ROOT, dev_server, process, until_ready
from tests.postgresql import postgresql_server
from tests.processes import kill

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["setup", "api", "worker-research", "worker-training", "worker-backtest"]
ONCE = {"temporal-schema", "temporal-namespace", "setup"}


def test_the_file_keeps_to_the_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema_rs.validator_for(schema).validate(COMPOSE)
    broken = {**COMPOSE, "services": {"api": {"image": 5}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(schema).validate(broken)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    assert re.search(r":[0-9][^:]*$", service["image"]), "pinned"
    if not service["image"].startswith("temporalio/admin-tools"):
        assert int(service["user"].partition(":")[0]) > 0
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_services_start_in_an_order_that_exists(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how == {"condition": expected}
        assert other in ONCE or "healthcheck" in SERVICES[other]


def test_every_file_and_volume_that_is_named_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"]
        for argument in service.get("entrypoint", []):
            if argument.startswith("/setup/"):
                script = ROOT / "deploy/compose" / argument.removeprefix("/setup/")
                subprocess.run(["sh", "-n", str(script)], check=True)


def test_every_variable_is_explained_and_no_secret_is_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / "deploy/compose/example.env").read_text()
    explained = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == explained
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|KEY$|SECRET", name):
                assert value.startswith("${"), name


def test_the_image_has_all_that_is_imported_and_copies_what_exists() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.count("\nFROM ") + dockerfile.startswith("FROM ") == 2
    assert "libgomp1" in dockerfile
    assert "USER ktrdr" in dockerfile
    copied = {
        part.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
        for part in line.split()
    }
    kept = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied == kept
    assert all((ROOT / part).exists() for part in copied)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= copied


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
            name: re.sub(r"\$\{[^}]*\}", "", str(value))
            for name, value in SERVICES[service]["environment"].items()
        }
        here = {name: value for name, value in self._here.items() if name in told}
        own = {"KTRDR_HOME": self._here["KTRDR_HOME"]}
        return {**os.environ, **own, **told, **here, **more}

    def command(self, service: str) -> list[str]:
        """Return the command of a service."""
        program, *arguments = SERVICES[service]["command"]
        return [{"python": sys.executable, "ktrdr": KTRDR}[program], *arguments]

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
        yield Installation(tmp_path, temporal, ledger)


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
        workers = {
            name: stack.enter_context(installation.running(name))
            for name in OURS
            if name.startswith("worker")
        }
        replicas = [
            stack.enter_context(installation.running("api", KTRDR_API_PORT=str(port)))
            for port in ports
        ]
        first, second = [
            await clients.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=30,
                )
            )
            for port in ports
        ]

        await until_ready(first, second)
        checked = SERVICES["worker-training"]["healthcheck"]["test"]
        assert checked[:2] == ["CMD", "ktrdr"]
        code, printed = await installation.run("worker-training", KTRDR, *checked[2:])
        assert code == 0, printed

        async def start(api: httpx.AsyncClient, trials: int) -> str:
            body = {"trials": trials, "seed": 1, "bypass_gates": True}
            return str(accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"])

        short = [await start(api, 2) for api in (first, second)]
        endless = await start(first, 10_000)
        cancelled = accepted(await second.delete(f"/agent/cancel/{endless}?wait=20"))
        assert cancelled["status"] == "cancelled"

        # A worker and a replica die in the middle of it, and come back.
        kill(workers["worker-training"].pid)
        kill(replicas[0].pid)
        stack.enter_context(installation.running("worker-training"))
        for operation_id in short:
            assert (await ended(second, operation_id))["status"] == "completed"
        listed = accepted(await second.get("/experiments"))
        assert {row["operation_id"] for row in listed["data"]} == {*short, endless}
        assert {row["owner"] for row in listed["data"]} == {"ada"}
