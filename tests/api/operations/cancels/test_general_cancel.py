"""`DELETE /operations/{id}` cancels any operation, and `DELETE /operations?…` many."""

import httpx2
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.api.answers import accepted, refused
from tests.support.helpers import all_killed, assert_eventually, new_id
from tests.support.outside.temporal_server import activity_started
from tests.support.phases import IN_BACKTEST, IN_DESIGN, IN_TRAINING, STAYS, Stay, start
from tests.support.processes import compute_processes
from workflows.interface.messages import ResearchRequest


async def cancel(api: httpx2.AsyncClient, operation_id: str, **body: object) -> httpx2.Response:
    return await api.request(
        "DELETE", f"/operations/{operation_id}", params={"wait": 30}, json=body
    )


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize("stay", STAYS, ids=lambda stay: stay.phase.value)
async def test_a_step_is_cancelled_with_its_research(
    api: httpx2.AsyncClient, client: Client, stay: Stay
) -> None:
    handle = await stay.begin(client)
    step = f"{handle.id}.{stay.step_name}"
    response = await cancel(api, step, reason="enough")
    data = accepted(response)["data"]
    assert data["operation_id"] == step
    assert data["status"] == "cancelled"
    assert data["cancelled_at"] is not None
    assert data["cancellation_reason"] == "enough"
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    await all_killed()
    shown = accepted(await api.get(f"/operations/{step}"))["data"]
    assert shown["status"] == "cancelled"


async def test_a_research_is_cancelled(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_TRAINING.begin(client)
    data = accepted(await cancel(api, handle.id))["data"]
    assert data["children_cancelled"] == [f"{handle.id}.training"]
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_force_ends_research_and_child_at_once(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)
    response = await cancel(api, handle.id, force=True)
    assert accepted(response)["data"]["forced"] is True
    shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
    assert (shown["status"], shown["forced"]) == ("cancelled", True)

    async def nothing_left() -> bool:
        child = await client.get_workflow_handle(f"{handle.id}.training").describe()
        assert child.status is WorkflowExecutionStatus.TERMINATED
        return compute_processes() == []

    await assert_eventually(nothing_left)


async def test_an_ended_operation_is_not_cancellable(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, ResearchRequest(strategy="never-trades", seed=7))
    await handle.result()
    for operation_id in (handle.id, f"{handle.id}.training", f"{handle.id}.assessment"):
        refused(await api.delete(f"/operations/{operation_id}"), 409, "not_cancellable")


@pytest.mark.usefixtures("many_bars")
async def test_a_finished_step_of_a_running_research_is_not_cancellable(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_BACKTEST.begin(client)
    refused(await api.delete(f"/operations/{handle.id}.training"), 409, "not_cancellable")
    refused(await api.delete(f"/operations/{handle.id}.design"), 404, "not_found")
    description = await handle.describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert not description.raw_description.workflow_extended_info.cancel_requested


@pytest.mark.parametrize("odd", ["nosuch", "%2E%2E", "x" * 10_000, "", "%FF", "a%2Fb"])
async def test_an_unknown_id_is_not_found(api: httpx2.AsyncClient, odd: str) -> None:
    refused(await api.delete(f"/operations/{odd}"), 404, "not_found")


async def test_many_are_cancelled_by_owner(api: httpx2.AsyncClient, client: Client) -> None:
    owner = new_id("owner")
    mine = [
        await start(client, IN_DESIGN.request.model_copy(update={"owner": owner})) for _ in range(2)
    ]
    other = await start(client, IN_DESIGN.request)
    for handle in (*mine, other):
        await activity_started(handle, "design")

    async def visible() -> bool:
        params = {"owner": owner, "dry_run": "true"}
        data = accepted(await api.delete("/operations", params=params), 202)["data"]
        assert data["batch_id"] is None
        return set(data["operation_ids"]) == {handle.id for handle in mine}

    await assert_eventually(visible)
    params = {"owner": owner, "reason": "spring cleaning"}
    data = accepted(await api.delete("/operations", params=params), 202)["data"]
    assert data["matched"] == 2

    async def cancelled() -> bool:
        states = {(await handle.describe()).status for handle in mine}
        return states == {WorkflowExecutionStatus.CANCELED}

    await assert_eventually(cancelled)
    for handle in mine:
        shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
        assert shown["cancellation_reason"] == "spring cleaning"
    assert (await other.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_an_empty_filter_cancels_nothing(api: httpx2.AsyncClient, client: Client) -> None:
    handle = await IN_DESIGN.begin(client)
    refused(await api.delete("/operations"), 422, "invalid_input")
    refused(await api.delete("/operations", params={"dry_run": "true"}), 422, "invalid_input")
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
