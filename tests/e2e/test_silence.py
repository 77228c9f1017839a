"""What is paused accepts connections and never answers; nobody waits for it long."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from errors import StartupError
from settings import Settings
from storage.ledger.ledger import Ledger
from temporal.connection import connect as connect_as_configured
from tests.api.answers import accepted, ended, refused
from tests.e2e.stack import FOREVER
from tests.support.helpers import PATIENCE, assert_eventually, serving, worker_process
from tests.support.outside.postgresql import postgresql_server
from tests.support.outside.silence import shut_database, silent, silent_database
from tests.support.outside.temporal_server import activity_started, connect, dev_server
from tests.support.phases import start
from tests.support.processes import compute_processes
from workflows.interface.messages import ResearchRequest

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

STEADY = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)
OWNER = "ada"
# Five on a machine that is not busy; the silence itself lasts for as long as a test wants.
SECONDS_TO_SAY_NO = 20.0


async def not_ready(api: httpx2.AsyncClient, missing: str) -> None:
    """Ask whether the installation is ready, and be told in time that this is missing."""
    async with asyncio.timeout(SECONDS_TO_SAY_NO):
        answer = await api.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()[missing] is False


@pytest.mark.parametrize("away", [shut_database, silent_database])
async def test_an_owner_starts_sees_and_cancels_without_the_ledger(
    alone: Client,
    settings: Settings,
    tmp_path: Path,
    away: Callable[[str], AbstractContextManager[None]],
) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    key = ring.add(OWNER, OWNER, (Scope.RUN,))
    body = {"trials": FOREVER, "seed": 1}
    with postgresql_server() as ledger:
        own = settings.model_copy(
            update={"home": tmp_path, "ledger_url": ledger, "api_keys": ring.path}
        )
        with worker_process(alone, own) as worker:
            async with serving(create_app(own, alone)) as api:
                api.headers["Authorization"] = f"Bearer {key}"

                async def computes() -> bool:
                    return bool(compute_processes(worker.pid))

                async def stopped() -> bool:
                    return not await computes()

                async def begun() -> str:
                    answer = accepted(await api.post("/agent/trigger", json=body), 202)
                    operation_id: str = answer["operation_id"]
                    await activity_started(alone.get_workflow_handle(operation_id), "design")
                    await assert_eventually(computes, within=PATIENCE)
                    return operation_id

                before = await begun()
                with away(ledger):
                    assert accepted(await api.delete(f"/agent/cancel/{before}"))["success"]
                    await assert_eventually(stopped)
                    meanwhile = await begun()
                    shown = accepted(await api.get(f"/operations/{meanwhile}"))["data"]
                    assert shown["status"] == "running"
                    assert not accepted(await api.get("/agent/status"))["budget"]["known"]
                    accepted(await api.delete(f"/operations/{meanwhile}"))
                    await assert_eventually(stopped)
                for operation_id in (before, meanwhile):
                    assert (await ended(api, operation_id))["status"] == "cancelled"
                rows = accepted(await api.get("/experiments"))["data"]
                assert {row["operation_id"] for row in rows} == {before, meanwhile}


async def test_those_who_wait_for_a_silent_ledger_keep_nobody_else_waiting(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    with postgresql_server() as url:
        ledger = Ledger(url)
        ledger.upgrade()
        ledger.close()
        own = settings.model_copy(update={"home": tmp_path, "ledger_url": url})
        async with serving(create_app(own, alone)) as api:
            with silent_database(url):
                waiting = [asyncio.create_task(api.get("/experiments")) for _ in range(60)]
                await not_ready(api, "ledger")
                async with asyncio.timeout(SECONDS_TO_SAY_NO):
                    for path in ("/strategies", "/operations", "/workers"):
                        assert (await api.get(path)).is_success
                assert not all(each.done() for each in waiting), "nobody waited meanwhile"
                for answer in await asyncio.gather(*waiting):
                    refused(answer, 503, "ledger_unavailable")

            async def back() -> bool:
                return bool((await api.get("/health/ready")).json()["ledger"])

            await assert_eventually(back)


async def test_a_silent_temporal_is_waited_for(settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"home": tmp_path})
    with dev_server(tmp_path) as address:
        client = await connect(address)
        async with serving(create_app(own, client)) as api:
            with worker_process(client, own):
                running = await start(client, STEADY)
                training = client.get_workflow_handle(f"{running.id}.training")
                await activity_started(training, "train")
                with silent(int(address.rpartition(":")[2])):
                    await not_ready(api, "temporal")
                    async with asyncio.timeout(SECONDS_TO_SAY_NO):
                        refused(await api.get("/operations"), 503, "temporal_unavailable")
                        assert (await api.get("/strategies")).is_success
                assert (await ended(api, running.id))["status"] == "completed"


async def test_a_process_that_starts_beside_a_silent_temporal_ends_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with dev_server(tmp_path) as address:
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        await connect(address)
        monkeypatch.setattr("temporal.connection._PATIENCE_SECONDS", 2.0)
        with silent(int(address.rpartition(":")[2])), pytest.raises(StartupError, match="answer"):
            await connect_as_configured()
