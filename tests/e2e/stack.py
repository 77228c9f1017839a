"""An embedded stack that the `ktrdr` command keeps running, and the command itself."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from typer.testing import CliRunner, Result

from bench.ports import find_free_ports
from cli.main import app
from tests.api.answers import accepted
from tests.support.helpers import KTRDR, process

FOREVER = 10_000
"""Trials that take longer than any test."""


SECRET = "sk-secret"
"""The key of a language model."""


class Stack:
    """An environment in which `ktrdr up` and its clients find each other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        temporal_port, ui_port, self.api_port = find_free_ports(3)
        self.temporal = f"127.0.0.1:{temporal_port}"
        self.bars = home / "bars"
        self.environment = os.environ | {
            "KTRDR_HOME": str(home),
            "KTRDR_TEMPORAL_PORT": str(temporal_port),
            "KTRDR_UI_PORT": str(ui_port),
            "KTRDR_API_PORT": str(self.api_port),
            "KTRDR_DATA_DIR": str(self.bars),
            "OPENAI_API_KEY": SECRET,
            "COLUMNS": "200",
        }

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command, and end it with the context."""
        with process(
            [KTRDR, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as command:
            yield command

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [KTRDR, *arguments],
            env=self.environment | changes,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def answer(self, *arguments: str) -> Any:
        """Run a command with `--json` and return what it answers, the `data` of its JSON."""
        command = self.invoke(*arguments, "--json")
        assert command.exit_code == 0, command.stdout + command.stderr
        told = json.loads(command.stdout)
        assert told["success"] is True
        return told["data"]

    def invoke(self, *arguments: str, **changes: str) -> Result:
        """Run a command in this process.

        Loading it anew for each of hundreds of calls takes longer than all that they do; `run` does
        so where the process itself is what is tested.
        """
        return CliRunner().invoke(app, arguments, env=self.environment | changes)

    async def ready(self) -> bool:
        """Look whether the stack accepts work."""
        with contextlib.suppress(httpx2.TransportError):
            return (await self._get("/health/ready")).is_success
        return False

    async def status(self, operation_id: str) -> str:
        """Return the status of an operation."""
        shown = accepted(await self._get(f"/operations/{operation_id}"))
        status: str = shown["data"]["status"]
        return status

    async def running(self) -> str:
        """Return the id of the one research that runs, or nothing yet."""
        only = {"status": "running", "operation_type": "agent_research"}
        rows: list[dict[str, str]] = accepted(await self._get("/operations", **only))["data"]
        return rows[0]["operation_id"] if rows else ""

    async def _get(self, path: str, **params: str) -> httpx2.Response:
        address = f"http://127.0.0.1:{self.api_port}"
        async with httpx2.AsyncClient(base_url=address, timeout=60) as http:
            return await http.get(path, params=params)
