"""What docs/operations.md says about back-ups, done."""

import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, ended
from tests.e2e.stack import FOREVER, Stack
from tests.support.helpers import PATIENCE, assert_eventually, serving, worker_process
from tests.support.outside.postgresql import postgresql_server, program
from tests.support.outside.temporal_server import new_namespace

pytestmark = pytest.mark.long


async def test_a_copy_of_the_state_directory_goes_on_where_the_stack_was_stopped(
    tmp_path: Path,
) -> None:
    stack = Stack(tmp_path / "original")
    with stack.started("up") as up:
        await assert_eventually(stack.ready, within=PATIENCE)
        done = stack.answer("research", "--trials", "2", "--seed", "2", "--follow")["operation_id"]
        running = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
        await assert_eventually(stack.running, within=PATIENCE)
        up.send_signal(signal.SIGTERM)
        assert up.wait(90) == 0
    for port in ("KTRDR_TEMPORAL_PORT", "KTRDR_UI_PORT", "KTRDR_API_PORT"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(stack.environment[port]))) != 0
    shutil.move(stack.home, tmp_path / "back-up")

    restored = Stack(tmp_path / "back-up")
    with restored.started("up") as up:
        await assert_eventually(restored.ready, within=PATIENCE)
        assert restored.answer("status", done)["status"] == "completed"
        report = tmp_path / "report.json"
        restored.answer("report", done, "--format", "json", "--output", str(report))
        assert json.loads(report.read_text())["input"]["operation_id"] == done
        assert await assert_eventually(restored.running, within=PATIENCE) == running
        restored.answer("cancel", running)
        assert restored.answer("follow", running)["status"] == "cancelled"
        up.send_signal(signal.SIGINT)
        assert up.wait(90) == 0


async def test_ledger_and_artifacts_are_restored_on_other_machines(
    temporal: Client, settings: Settings, tmp_path: Path
) -> None:
    dump = tmp_path / "ledger.dump"
    before = settings.model_copy(update={"home": tmp_path / "before"})
    with postgresql_server() as ledger:
        first, report = await researched(temporal, before, ledger, looks=1)
        run(program("pg_dump"), "--format=custom", "--file", dump, ledger)
        shutil.copytree(before.home / "artifacts", tmp_path / "after" / "artifacts")
    shutil.rmtree(before.home)

    after = settings.model_copy(update={"home": tmp_path / "after"})
    with postgresql_server() as ledger:
        run(program("pg_restore"), "--clean", "--if-exists", "--dbname", ledger, dump)
        # Temporal knows nothing of the first research any more.
        second, _ = await researched(temporal, after, ledger, looks=2, known={first: report})
        assert second != first


async def researched(
    temporal: Client,
    settings: Settings,
    ledger: str,
    *,
    looks: int,
    known: dict[str, str] | None = None,
) -> tuple[str, str]:
    """Conduct one research more than is known; return its id and its report."""
    known = known or {}
    own = settings.model_copy(update={"ledger_url": ledger})
    alone = await new_namespace(temporal)
    with worker_process(alone, own):
        async with serving(create_app(own, alone)) as api:
            # Another strategy each time: the same one is no second look.
            body: dict[str, Any] = {"strategy": "quick"} if known else {"trials": 2}
            body |= {"seed": looks, "bypass_gates": True}
            started = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
            assert (await ended(api, started))["status"] == "completed"
            rows = accepted(await api.get("/experiments"))["data"]
            assert {row["operation_id"] for row in rows} == {started, *known}
            for operation_id, report in known.items():
                assert await report_of(api, operation_id) == report
            dossier = accepted(await api.get(f"/operations/{started}/report?format=json"))
            assert statistics(dossier)["holdout_looks"] == looks
            return started, await report_of(api, started)


async def report_of(api: httpx2.AsyncClient, operation_id: str) -> str:
    answer = await api.get(f"/operations/{operation_id}/report")
    assert answer.is_success, answer.text
    return answer.text


def statistics(dossier: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dossier["result"]["statistics"]
    return found


def run(*command: str | Path) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
