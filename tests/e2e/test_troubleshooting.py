"""Faults of workers, Temporal and bars: symptom, check and cure as docs/operations.md words them.

`test_faults.py` has those of the machine; docs/testing.md lists where each is provoked.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.data import walk
from tests.helpers import (
    KTRDR,
    activity_started,
    assert_eventually,
    connect,
    dev_server,
    free_port,
    serving,
    temporal_command,
    worker_process,
)
from tests.phases import IN_DESIGN, IN_TRAINING, start
from tests.processes import children_with, kill
from workflows.messages import ResearchRequest
from workflows.policies import COMPUTE_QUEUES

QUICK = ResearchRequest(strategy="quick", seed=7, bypass_gates=True)
STEADY = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)
FAULTY = QUICK.model_copy(update={"symbol": "FAULTY"})


async def shown(api: httpx.AsyncClient, operation_id: str) -> dict[str, Any]:
    operation: dict[str, Any] = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    return operation


async def readiness(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get("/health/ready")
    body: dict[str, Any] = answer.json()
    assert answer.is_success is body["ready"]
    return body


async def no_worker_serves(api: httpx.AsyncClient) -> bool:
    body = await readiness(api)
    return not body["ready"] and body["workers"] == dict.fromkeys(COMPUTE_QUEUES, 0)


async def test_what_finds_no_worker_or_no_free_one_waits_for_one(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home": tmp_path, "compute_slots": 1})
    async with serving(create_app(own, alone)) as api:
        unserved = await start(alone, QUICK)
        assert (await shown(api, unserved.id))["status"] == "pending"
        assert await no_worker_serves(api)
        with worker_process(alone, own):
            assert (await ended(api, unserved.id))["status"] == "completed"
            busy = await IN_DESIGN.begin(alone)
            waiting = await start(alone, ResearchRequest(trials=1, seed=7, bypass_gates=True))

            async def waits() -> bool:
                step = (await shown(api, waiting.id))["progress"]["current_step"]
                return "Waiting for a free worker" in step

            async def no_slot_is_free() -> bool:
                load = accepted(await api.get("/agent/status"))["workers"]["agent_design"]
                return bool(load["busy"] == load["total"] == 1)

            await assert_eventually(waits)
            await assert_eventually(no_slot_is_free)
            with worker_process(alone, own):
                assert (await ended(api, waiting.id))["status"] == "completed"
                assert (await shown(api, busy.id))["status"] == "running"
                accepted(await api.delete(f"/agent/cancel/{busy.id}", params={"wait": 30}))


async def test_temporal_may_be_away_and_come_back(settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"home": tmp_path / "home"})
    port = free_port()
    with dev_server(tmp_path, port) as address:
        client = await connect(address)
        with worker_process(client, own):
            async with serving(create_app(own, client)) as api:
                handle = await start(client, STEADY)
                await activity_started(client.get_workflow_handle(f"{handle.id}.training"), "train")
                [server] = children_with(str(port), os.getpid())
                kill(server.pid)
                await asyncio.to_thread(server.wait)
                answer = await api.get(f"/operations/{handle.id}", timeout=60)
                refused(answer, 503, "temporal_unavailable")
                assert (await readiness(api))["temporal"] is False
                with dev_server(tmp_path, port):
                    await connect(address)
                    assert (await ended(api, handle.id))["status"] == "completed"
                    assert (await readiness(api))["ready"] is True


async def test_a_cancel_without_a_worker_takes_effect_with_one_or_by_force(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home": tmp_path})
    async with serving(create_app(own, alone)) as api:
        with worker_process(alone, own):
            patient, forced = [await IN_TRAINING.begin(alone) for _ in range(2)]
        for each in (patient, forced):
            accepted(await api.delete(f"/agent/cancel/{each.id}", params={"wait": 0}))
            operation = await shown(api, each.id)
            assert (operation["status"], operation["cancel_requested"]) == ("running", True)
        assert await no_worker_serves(api)
        await temporal_command(alone, "workflow", "terminate", "-w", forced.id)
        operation = await ended(api, forced.id)
        assert (operation["status"], operation["forced"]) == ("cancelled", True)
        with worker_process(alone, own):
            operation = await ended(api, patient.id)
            assert (operation["status"], operation["forced"]) == ("cancelled", False)


@pytest.fixture
def faulty_bars(data_dir: Path) -> Iterator[Path]:
    """Where bars of the symbol FAULTY belong; there are none yet."""
    path = data_dir / "FAULTY.csv"
    yield path
    path.unlink(missing_ok=True)


async def failure(client: Client, research_id: str) -> tuple[str | None, str]:
    """Wait for the failure of a research, and return its type and message."""
    with pytest.raises(WorkflowFailureError) as failed:
        await client.get_workflow_handle(research_id).result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type, failed.value.cause.message


def check(data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run `ktrdr data check`."""
    return subprocess.run(
        [KTRDR, "data", "check"],
        env=os.environ | {"KTRDR_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_bars_that_are_missing_or_broken_are_named_and_may_be_corrected(
    api: httpx.AsyncClient, client: Client, data_dir: Path, faulty_bars: Path
) -> None:
    missing = await start(client, FAULTY)
    assert await failure(client, missing.id) == (
        "unknown_symbol",
        (await ended(api, missing.id))["error_message"],
    )

    good = walk(3000, "1D")
    good.assign(high=good["high"].where(good.index != 1, 1.0)).to_csv(faulty_bars, index=False)
    accepted(await api.post(f"/operations/{missing.id}/resume"), 202)
    reason, problem = await failure(client, missing.id)
    assert reason == "invalid_data"
    assert problem.startswith("FAULTY.csv, row 2 ")
    found = await asyncio.to_thread(check, data_dir)
    assert found.returncode == 1
    assert problem in found.stdout

    good.to_csv(faulty_bars, index=False)
    accepted(await api.post(f"/operations/{missing.id}/resume"), 202)
    assert (await ended(api, missing.id))["status"] == "completed"
