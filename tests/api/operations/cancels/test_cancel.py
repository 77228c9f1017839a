"""`DELETE /agent/cancel/{operation_id}` cancels one research at once, and nothing else."""

import asyncio
from typing import Any

import httpx2
import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from api.app import create_app
from quant.messages.data import DataSource
from quant.messages.steps import TrainingInput
from quant.strategy.files import load_strategy
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, refused, retry_while_busy
from tests.support.helpers import all_killed, computing, free_port, leftovers, new_id, serving
from tests.support.outside.temporal_server import activity_started, connect, dev_server
from tests.support.phases import IN_DESIGN, IN_TRAINING, STAYS, Stay, start
from workflows.interface.messages import ResearchRequest
from workflows.policies import TRAINING_QUEUE
from workflows.training import Training

Handle = WorkflowHandle[Any, Any]

# Two seconds on an idle machine.
NO_WAIT = 30

DOORS = ["/agent/cancel", "/api/v1/agent/cancel"]

ODD_IDS = [
    "%20",
    "x" * 10_000,
    "op_agent_research%2F..%2Fother",
    "%2F%2F",
    "%2E%2E",
    "..%2F..%2Fetc%2Fpasswd",
    "%E6%97%A5%E6%9C%AC%F0%9F%98%80",
    "%00",
    "%FF%FE",
    "a'%20OR%20'1'='1",
    ".design",
    ".training",
    "nosuch.assessment",
]


async def cancel(api: httpx2.AsyncClient, operation_id: str, wait: float = 30) -> httpx2.Response:
    return await api.delete(f"/agent/cancel/{operation_id}", params={"wait": wait})


async def cancel_fifty_times(
    api: httpx2.AsyncClient, handle: Handle, wait: float = 30
) -> list[httpx2.Response]:
    asked = (retry_while_busy(lambda: cancel(api, handle.id, wait)) for _ in range(50))
    return await asyncio.gather(*asked)


async def read_status(handle: Handle) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


async def start_training(client: Client, settings: Settings) -> Handle:
    request = TrainingInput(
        data=DataSource(), spec=load_strategy("slow", settings.strategy_dir), seed=7
    )
    handle = await client.start_workflow(
        Training.run, request, id=new_id("op_training_test"), task_queue=TRAINING_QUEUE
    )
    await activity_started(handle, "train")
    return handle


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize("stay", STAYS, ids=lambda stay: stay.phase.value)
async def test_a_running_research_is_cancelled_with_the_child_that_runs(
    api: httpx2.AsyncClient, client: Client, settings: Settings, stay: Stay
) -> None:
    handle = await stay.begin(client)
    body = accepted(await cancel(api, handle.id))
    assert body == {
        "success": True,
        "operation_id": handle.id,
        "child_cancelled": f"{handle.id}.{stay.step_name}",
        "status": "cancelled",
        "message": "Research cancelled",
    }
    await all_killed()
    assert leftovers(settings.home) == []
    assert await read_status(handle) is WorkflowExecutionStatus.CANCELED
    shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
    assert shown["status"] == "cancelled"
    assert shown["completed_at"] is not None
    experiment = Ledger(settings.ledger_url).experiments.get(handle.id)
    assert experiment is not None
    assert experiment.status == "cancelled"


@pytest.mark.parametrize("door", DOORS)
async def test_both_addresses_of_the_route_cancel(
    api: httpx2.AsyncClient, client: Client, door: str
) -> None:
    handle = await IN_DESIGN.begin(client)
    answer = await api.delete(f"{door}/{handle.id}", params={"wait": 30})
    assert accepted(answer)["status"] == "cancelled"


async def test_an_unknown_id_is_not_found(api: httpx2.AsyncClient) -> None:
    body = refused(
        await cancel(api, "op_agent_research_20200101_000000_00000000"), 404, "not_found"
    )
    assert "op_agent_research_20200101_000000_00000000" in body["detail"]


@pytest.mark.parametrize("odd", ODD_IDS, ids=lambda odd: odd[:20])
async def test_an_odd_id_is_not_found(api: httpx2.AsyncClient, odd: str) -> None:
    assert (await api.delete(f"/agent/cancel/{odd}")).status_code == 404
    refused(await api.delete(f"/api/v1/agent/cancel/{odd}"), 404, "not_found")


async def test_an_empty_id_is_not_found(api: httpx2.AsyncClient) -> None:
    refused(await api.delete("/agent/cancel/"), 404, "not_found")


async def test_a_training_outside_a_research_is_not_a_research(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    handle = await start_training(client, settings)
    assert "training" in refused(await cancel(api, handle.id), 404, "not_research")["detail"]
    assert await read_status(handle) is WorkflowExecutionStatus.RUNNING
    await computing(1)


async def test_the_training_of_a_research_is_not_a_research(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)
    refused(await cancel(api, f"{handle.id}.training"), 404, "not_research")
    assert await read_status(handle) is WorkflowExecutionStatus.RUNNING


async def test_the_design_of_a_research_is_not_a_research(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    refused(await cancel(api, f"{handle.id}.design"), 404, "not_research")
    refused(await cancel(api, f"{handle.id}.assessment"), 404, "not_found")
    assert await read_status(handle) is WorkflowExecutionStatus.RUNNING


async def test_a_foreign_workflow_is_not_a_research(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await client.start_workflow("Foreign", id=new_id("foreign"), task_queue="elsewhere")
    refused(await cancel(api, handle.id), 404, "not_research")
    description = await handle.describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert not description.raw_description.workflow_extended_info.cancel_requested


async def test_a_completed_research_is_not_cancellable(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, ResearchRequest(strategy="never-trades", seed=7))
    await handle.result()
    assert "completed" in refused(await cancel(api, handle.id), 409, "not_cancellable")["detail"]
    assert await read_status(handle) is WorkflowExecutionStatus.COMPLETED


async def test_a_failed_research_is_not_cancellable(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, ResearchRequest(symbol="SHORT", trials=1))
    await asyncio.wait([asyncio.ensure_future(handle.result())])
    assert "failed" in refused(await cancel(api, handle.id), 409, "not_cancellable")["detail"]
    assert await read_status(handle) is WorkflowExecutionStatus.FAILED


async def test_a_cancelled_research_is_not_cancellable(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    accepted(await cancel(api, handle.id))
    assert "cancelled" in refused(await cancel(api, handle.id), 409, "not_cancellable")["detail"]


async def test_one_of_several_is_cancelled_and_the_others_continue(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handles = [await start(client, IN_DESIGN.request) for _ in range(3)]
    for handle in handles:
        await activity_started(handle, "design")
    first, victim, last = handles
    assert accepted(await cancel(api, victim.id))["status"] == "cancelled"
    assert await read_status(victim) is WorkflowExecutionStatus.CANCELED
    for other in (first, last):
        shown = accepted(await api.get(f"/operations/{other.id}"))["data"]
        assert (shown["status"], shown["cancel_requested"]) == ("running", False)
    await computing(2)


async def test_cancelled_again_while_it_is_stopping_is_accepted_again(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    handle = await start(alone, ResearchRequest())
    for _ in range(2):
        assert accepted(await cancel(alone_api, handle.id, wait=0))["status"] == "cancelling"


async def test_fifty_cancels_of_a_stopping_research_are_all_accepted(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    handle = await start(alone, ResearchRequest())
    answers = await cancel_fifty_times(alone_api, handle, wait=0)
    assert {answer.status_code for answer in answers} == {200}


async def test_fifty_cancels_of_a_running_research_end_it_once(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_DESIGN.begin(client)
    answers = await cancel_fifty_times(api, handle)
    codes = {answer.status_code for answer in answers}
    assert 200 in codes
    # A cancel after the end is refused.
    assert codes <= {200, 409}
    for answer in answers:
        if answer.status_code == 200:
            assert answer.json()["status"] == "cancelled"
    assert await read_status(handle) is WorkflowExecutionStatus.CANCELED
    await all_killed()


async def test_an_invalid_wait_is_refused(api: httpx2.AsyncClient) -> None:
    for wait in ("-1", "x", "1e9", "nan"):
        response = await api.delete("/agent/cancel/op_x", params={"wait": wait})
        refused(response, 422, "invalid_input", "wait")


async def test_a_temporal_that_was_never_there_is_reported_and_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    async with serving(create_app(settings)) as unconnected:
        async with asyncio.timeout(NO_WAIT):
            refused(await cancel(unconnected, "op_x"), 503, "temporal_unavailable")


async def test_a_temporal_that_has_gone_is_reported_and_not_waited_for(
    settings: Settings, tmp_path: Any
) -> None:
    with dev_server(tmp_path) as address:
        client = await connect(address)
        app = create_app(settings, client)
        async with serving(app) as lost:
            handle = await client.start_workflow("Foreign", id="op_x", task_queue="elsewhere")
            refused(await cancel(lost, handle.id), 404, "not_research")
    async with serving(app) as lost:
        async with asyncio.timeout(NO_WAIT):
            refused(await cancel(lost, "op_x"), 503, "temporal_unavailable")
        *answers, ready = await asyncio.gather(
            lost.get("/operations/op_x"),
            lost.get("/operations"),
            lost.post("/agent/trigger"),
            lost.get("/health/ready"),
        )
        for answer in answers:
            refused(answer, 503, "temporal_unavailable")
        assert (ready.status_code, ready.json()["temporal"]) == (503, False)
