"""Workflows that somebody with access to Temporal has started by hand, to do harm or for fun."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowHandle,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from quant.messages.artifacts import Artifact
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.api.answers import accepted, refused, retry_while_busy
from tests.support.helpers import assert_eventually, new_id
from workflows.interface.contract import RETRY_OF, WARNINGS
from workflows.interface.search_attributes import OWNER, RESEARCH_PHASE, SYMBOL
from workflows.policies import RESEARCH_QUEUE

EVIL = TypedSearchAttributes(
    [
        SearchAttributePair(RESEARCH_PHASE, "evil"),
        SearchAttributePair(OWNER, "\x1b[2J' OR 1=1"),
        SearchAttributePair(SYMBOL, "x" * 500),
    ]
)


async def start_by_hand(client: Client, **options: Any) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        "Research", **{"id": new_id(), "task_queue": RESEARCH_QUEUE, **options}
    )


async def wait_until_listed(api: httpx2.AsyncClient, operation_id: str) -> None:
    async def look() -> bool:
        rows = accepted(await api.get("/operations"))["data"]
        return operation_id in {row["operation_id"] for row in rows}

    await assert_eventually(look)


async def test_no_attribute_or_memo_breaks_a_list_or_a_cancel(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    memo = {RETRY_OF: {"evil": [1]}, WARNINGS: 7, "key": 5, "resumed_from": "yesterday"}
    handle = await start_by_hand(alone, search_attributes=EVIL, memo=memo)
    await wait_until_listed(alone_api, handle.id)
    for path in ("/agent/status", f"/operations/{handle.id}", f"/operations/{handle.id}/children"):
        accepted(await alone_api.get(path))
    shown = accepted(await alone_api.get(f"/operations/{handle.id}"))["data"]
    assert (shown["phase"], shown["retry_of"]) == ("queued", None)
    accepted(await alone_api.delete(f"/agent/cancel/{handle.id}", params={"wait": 0}))
    await alone_api.request("DELETE", f"/operations/{handle.id}", json={"force": True})
    training = ArtifactStore(settings.artifacts_url).open(f"{handle.id}.training")
    training.write(Artifact.TRAINING_METRICS, b"evil")
    kept = accepted(await alone_api.get(f"/checkpoints/{handle.id}"))["data"]
    assert kept["state"] == {"operation_type": "agent_research"}

    async def checkpoint_is_listed() -> bool:
        rows = accepted(await alone_api.get("/checkpoints"))["data"]
        return handle.id in {row["operation_id"] for row in rows}

    await assert_eventually(checkpoint_is_listed)
    repeated = await alone_api.post(
        f"/operations/{handle.id}/retry", headers={"Idempotency-Key": "again"}
    )
    accepted(repeated, 202)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_an_id_with_any_characters_is_shown_and_cancelled(
    alone_api: httpx2.AsyncClient, alone: Client, prefix: str
) -> None:
    # At once: without a worker each waits for answers that do not come.
    ids = [f"{new_id()}{odd}" for odd in ("a/b", "team/report", "50%2F", "what?#", "../up", "ä b")]
    await asyncio.gather(*(_show_and_cancel(alone_api, alone, each, prefix) for each in ids))


async def _show_and_cancel(
    alone_api: httpx2.AsyncClient, alone: Client, operation_id: str, prefix: str
) -> None:
    handle = await start_by_hand(alone, id=operation_id)
    path = f"{prefix}/operations/{quote(handle.id, safe='')}"
    shown = accepted(await alone_api.get(path))["data"]
    assert shown["operation_id"] == handle.id
    assert accepted(await alone_api.get(f"{path}/children"))["total_count"] == 0
    refused(await alone_api.get(f"{path}/results"), 409, "not_finished")
    cancel = f"{prefix}/agent/cancel/{quote(handle.id, safe='')}"
    accepted(await alone_api.delete(cancel, params={"wait": 0}))
    ended = await alone_api.request("DELETE", path, json={"force": True})
    assert accepted(ended)["data"]["operation_id"] == handle.id
    retried = await alone_api.post(f"{path}/retry")
    assert accepted(retried, 202)["data"]["retry_of"] == handle.id
    resumed = await alone_api.post(f"{path}/resume")
    refused(resumed, 503, "temporal_unavailable")  # No worker knows what was finished.
    checkpoint = f"{prefix}/checkpoints/{quote(handle.id, safe='')}"
    assert accepted(await alone_api.get(checkpoint))["data"]["operation_id"] == handle.id
    accepted(await alone_api.delete(checkpoint))
    refused(await alone_api.get(checkpoint), 404, "not_found")


async def test_no_schedule_of_others_breaks_the_list(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    memos: list[dict[str, Any]] = [{}, {"request": 5}, {"request": {"schedule_id": "x"}}]
    for number, memo in enumerate(memos):
        action = ScheduleActionStartWorkflow("X", id="x", task_queue="nobody")
        await alone.create_schedule(
            f"foreign{number}", Schedule(action=action, spec=ScheduleSpec()), memo=memo
        )
    body = {"schedule_id": "ours", "cron": "30 6 * * 1-5"}
    created = await retry_while_busy(lambda: alone_api.post("/schedules", json=body))
    # One that was not answered in time may have been created.
    assert created.status_code == 201 or created.json()["reason"] == "already_exists"

    async def listed() -> bool:
        return len([each async for each in await alone.list_schedules()]) == 4

    await assert_eventually(listed)
    found = accepted(await alone_api.get("/schedules"))
    assert [each["schedule_id"] for each in found["data"]] == ["ours"]
    refused(await alone_api.get("/schedules/foreign1"), 404, "not_found")
