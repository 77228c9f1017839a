"""Lists show operations as they are now: one row for each, in one order, as in its own answer."""

import asyncio
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from settings import Settings
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually, new_id
from tests.support.outside.temporal_server import temporal_command
from tests.support.phases import IN_TRAINING, start
from worker import run_workers
from workflows.interface.messages import ResearchInput, ResearchRequest
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

REJECTED = ResearchRequest(strategy="never-trades", seed=7)


async def read_list(api: httpx2.AsyncClient, **filters: Any) -> dict[str, Any]:
    return accepted(await api.get("/operations", params={"limit": 100, **filters}))


async def find_row(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    rows = (await read_list(api, limit=1000))["data"]
    [row] = [row for row in rows if row["operation_id"] == operation_id]
    found: dict[str, Any] = row
    return found


async def cancel(api: httpx2.AsyncClient, operation_id: str, **body: object) -> dict[str, Any]:
    path = f"/operations/{operation_id}"
    answer = await api.request("DELETE", path, params={"wait": 30}, json=body)
    data: dict[str, Any] = accepted(answer)["data"]
    return data


async def test_a_resumed_operation_is_one_row_with_its_present_status(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    request = IN_TRAINING.request.model_copy(update={"owner": owner})
    handle = await start(client, request)
    await IN_TRAINING.begun(client, handle.id)
    await cancel(api, handle.id)
    accepted(await api.post(f"/operations/{handle.id}/resume"), 202)
    await IN_TRAINING.begun(client, handle.id)

    async def listed(**filters: Any) -> dict[str, str]:
        page = await read_list(api, owner=owner, **filters)
        assert page["total_count"] == len(page["data"])
        return {row["operation_id"]: row["status"] for row in page["data"]}

    async def one_row_each() -> bool:
        running = {handle.id: "running", f"{handle.id}.training": "running"}
        assert await listed() == running
        assert await listed(status="running") == running
        assert await listed(status="cancelled") == {}
        assert await listed(resumable="true") == {}
        return True

    await assert_eventually(one_row_each)
    await cancel(api, handle.id)

    async def resumable_again() -> bool:
        return await listed(resumable="true") == {handle.id: "cancelled"}

    await assert_eventually(resumable_again)


async def test_an_operation_started_again_or_reset_by_hand_is_one_row(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    request = REJECTED.model_copy(update={"owner": owner})
    first = await start(client, request)
    await first.result()
    ids = [f"{first.id}.training", first.id]

    async def listed() -> bool:
        page = await read_list(api, owner=owner)
        rows = [row["operation_id"] for row in page["data"]]
        assert (rows, page["total_count"], page["active_count"]) == (ids, 2, 0)
        narrow = await read_list(api, owner=owner, limit=1, cursor=page["next_cursor"] or "")
        assert narrow["total_count"] == 2
        return True

    await assert_eventually(listed)
    again = await client.start_workflow(
        Research.run, ResearchInput.of(request), id=first.id, task_queue=RESEARCH_QUEUE
    )
    await again.result()
    await assert_eventually(listed)
    await temporal_command(
        client,
        *("workflow", "reset", "--workflow-id", first.id, "--reason", "by hand"),
        *("--type", "FirstWorkflowTask"),
    )
    await client.get_workflow_handle(first.id).result()

    async def three_runs() -> bool:
        return (await client.count_workflows(f"WorkflowId = '{first.id}'")).count == 3

    await assert_eventually(three_runs)
    await assert_eventually(listed)


async def test_only_what_can_be_resumed_now_is_listed_as_resumable(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    kept, deleted = [await start(alone, REJECTED) for _ in range(2)]
    for handle in (kept, deleted):
        await handle.terminate()

    async def resumable() -> list[str]:
        page = await read_list(alone_api, resumable="true")
        rows = [row["operation_id"] for row in page["data"]]
        assert page["total_count"] == len(rows)
        return rows

    async def both() -> bool:
        return await resumable() == [deleted.id, kept.id]

    await assert_eventually(both)
    accepted(await alone_api.delete(f"/checkpoints/{deleted.id}"))
    assert await resumable() == [kept.id]
    refused(await alone_api.post(f"/operations/{deleted.id}/resume"), 409, "not_resumable")


@pytest.mark.parametrize(
    ("path", "filters", "field"),
    [
        ("/operations", {"active_only": "true", "status": "completed"}, "status"),
        ("/operations", {"resumable": "true", "status": "running"}, "status"),
        ("/operations", {"resumable": "true", "active_only": "true"}, "active_only"),
        ("/operations", {"resumable": "true", "operation_type": "agent_design"}, "operation_type"),
        ("/experiments", {"verdict": "poor", "status": "failed"}, "status"),
    ],
)
async def test_filters_that_contradict_each_other_are_refused_by_name(
    api: httpx2.AsyncClient, path: str, filters: dict[str, str], field: str
) -> None:
    answer = await api.get(path, params=filters)
    problem = refused(answer, 422, "invalid_input", field)
    assert all(f"`{name}`" in problem["detail"] for name in filters)


@pytest.mark.parametrize("method", ["GET /experiments", "DELETE /operations"])
async def test_a_status_that_nothing_there_can_have_is_refused(
    api: httpx2.AsyncClient, method: str
) -> None:
    verb, path = method.split()
    status = "running" if verb == "GET" else "completed"
    refused(
        await api.request(verb, path, params={"status": status}), 422, "invalid_input", "status"
    )


async def test_the_newest_come_first_over_all_pages(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    """Temporal lists what runs first, and then what ended last."""
    handles = [await start(alone, REJECTED) for _ in range(9)]
    for handle in (handles[6], handles[1], handles[4]):
        await handle.terminate()
    newest_first = [handle.id for handle in reversed(handles)]

    async def all_listed() -> bool:
        return bool((await read_list(alone_api))["active_count"] == 6)

    await assert_eventually(all_listed)
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while len(listed) < len(handles):
        page = await read_list(alone_api, limit=2, **cursor)
        assert page["total_count"] == 9
        listed += [row["operation_id"] for row in page["data"]]
        cursor = {"cursor": page["next_cursor"]}
    assert listed == newest_first
    assert page["next_cursor"] is None
    skipped = await read_list(alone_api, limit=3, offset=4)
    assert [row["operation_id"] for row in skipped["data"]] == newest_first[4:7]


async def test_a_row_shows_the_progress_of_the_operation(
    api: httpx2.AsyncClient, client: Client
) -> None:
    request = IN_TRAINING.request.model_copy(update={"owner": new_id("owner"), "priority": 2})
    handle = await start(client, request)
    await IN_TRAINING.begun(client, handle.id)

    async def moving() -> dict[str, Any]:
        row = await find_row(api, handle.id)
        assert row["progress_percentage"] > 20
        return row

    row = await assert_eventually(moving)
    shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
    assert row["attempt"] == shown["attempt"]
    assert row["attempt"]["state"] == "running"
    assert row["progress_percentage"] <= shown["progress"]["percentage"] < 65
    assert shown["progress"]["percentage"] == round(shown["progress"]["percentage"], 1)
    assert row["current_step"].startswith("Training model... ")
    for name in ("owner", "priority", "goal", "phase", "status", "created_at"):
        assert row[name] == shown[name]
    assert (row["goal"], row["priority"]) == ("slow", 2)
    assert 0 < row["duration_seconds"] <= shown["duration_seconds"]
    step = await find_row(api, f"{handle.id}.training")
    assert (step["goal"], step["priority"], step["attempt"]["state"]) == ("slow", 2, "running")


@pytest.mark.parametrize("force", [False, True], ids=["cancelled", "forced"])
async def test_a_cancelled_operation_stays_where_it_was_cancelled_also_without_a_worker(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings, force: bool
) -> None:
    async with run_workers(alone, settings):
        handle = await IN_TRAINING.begin(alone)

        async def moving() -> dict[str, Any]:
            path = f"/operations/{handle.id}"
            shown: dict[str, Any] = accepted(await alone_api.get(path))["data"]
            assert shown["progress"]["percentage"] > 21
            return shown

        before = await assert_eventually(moving)
        data = await cancel(alone_api, handle.id, reason="no longer needed", force=force)
        assert data["cancellation_reason"] == "no longer needed"
        after = accepted(await alone_api.get(f"/operations/{handle.id}"))["data"]
    without_worker = accepted(await alone_api.get(f"/operations/{handle.id}"))["data"]
    row = await find_row(alone_api, handle.id)
    for shown in (after, without_worker):
        assert shown["status"] == "cancelled"
        assert shown["cancellation_reason"] == "no longer needed"
        assert shown["attempt"] is None
        assert before["progress"]["percentage"] <= shown["progress"]["percentage"] < 65
        assert shown["progress"] == after["progress"]
        assert shown["progress"]["items_total"] == before["progress"]["items_total"]
        assert shown["duration_seconds"] == row["duration_seconds"]
    assert row["progress_percentage"] == after["progress"]["percentage"]
    assert row["cancellation_reason"] == "no longer needed"
    if not force:
        step = await find_row(alone_api, f"{handle.id}.training")
        assert step["progress_percentage"] == after["children"][-1]["progress"]["percentage"] > 0
        assert step["cancellation_reason"] == "no longer needed"
        ledger = Ledger(settings.ledger_url)
        record = ledger.experiments.get(handle.id)
        ledger.close()
        assert record is not None
        assert record.cancellation_reason == "no longer needed"
        assert record.progress == row["progress_percentage"]


async def test_a_completed_operation_is_complete_without_a_worker(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    async with run_workers(alone, settings):
        handle = await start(alone, REJECTED)
        await ended(alone_api, handle.id)
    for operation_id in (handle.id, f"{handle.id}.training"):
        row = await find_row(alone_api, operation_id)
        shown = accepted(await alone_api.get(f"/operations/{operation_id}"))["data"]
        assert row["progress_percentage"] == shown["progress"]["percentage"] == 100.0
        assert row["current_step"] == shown["progress"]["current_step"] == "Complete"


async def test_many_rows_are_read_in_one_order(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    handles = await asyncio.gather(*(start(alone, REJECTED) for _ in range(40)))
    await asyncio.gather(*(handle.terminate() for handle in handles[::3]))

    async def all_listed() -> bool:
        return bool((await read_list(alone_api))["total_count"] == 40)

    await assert_eventually(all_listed)
    times = [row["created_at"] for row in (await read_list(alone_api, limit=25))["data"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 25
