"""Payloads in Temporal that only those with the key can read."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from api.app import create_app
from errors import StartupError, UnreadablePayload
from settings import Settings
from temporal.connection import connect
from temporal.encryption import EncryptingCodec, open_key_file, rotate_key
from tests.api.answers import accepted, ended, refused
from tests.integration.stored import assert_unreadable, of_schedule, of_workflow
from tests.support.helpers import PATIENCE, assert_eventually, serving
from tests.support.outside.temporal_server import new_namespace, temporal_command
from tests.support.quant.data import FAILURE_OF_FLAT, FLAT
from tests.support.served import served
from worker import run_workers
from workflows.claim import make_claim_id

BRIEF = "mean reversion in quiet weeks"
KEY = "what ann clicked at noon"
RESEARCH = {"brief": BRIEF, "trials": 2, "seed": 7, "bypass_gates": True}
STRATEGY = ("num_leaves", "min_data_in_leaf", "horizon")
"""Words of every strategy."""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "payload-keys.json"
    rotate_key(path)
    return path


@pytest_asyncio.fixture
async def encrypted(
    monkeypatch: pytest.MonkeyPatch, temporal: Client, server: str, settings: Settings, keys: Path
) -> AsyncIterator[tuple[Client, Settings]]:
    """A client that encrypts, and workers beside it."""
    alone = await new_namespace(temporal)
    monkeypatch.setenv("TEMPORAL_ADDRESS", server)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", alone.namespace)
    client = await connect(payload_keys=keys)
    own = settings.model_copy(update={"payload_keys": keys})
    async with run_workers(client, own):
        yield client, own


def shown(history: str) -> bytes:
    """Return the payloads in a history as the command prints it."""
    return b"".join(base64.b64decode(data) for data in re.findall(r'"data": "([^"]+)"', history))


async def test_a_research_cannot_be_read(encrypted: tuple[Client, Settings]) -> None:
    client, own = encrypted
    async with serving(create_app(own, client)) as api:
        headers = {"Idempotency-Key": KEY}
        answer = await api.post("/agent/trigger", json=RESEARCH, headers=headers)
        operation_id = accepted(answer, 202)["operation_id"]
        operation = await ended(api, operation_id)
        assert operation["status"] == "completed"
        # With the key, all is as ever.
        assert operation["metadata"]["parameters"]["brief"] == BRIEF
        assert accepted(await api.get(f"/operations/{operation_id}.training/results"))["results"]
        again = accepted(await api.post("/agent/trigger", json=RESEARCH, headers=headers), 202)
        assert again["operation_id"] == operation_id
    stored = await of_workflow(client, make_claim_id(KEY))
    for workflow_id in (operation_id, f"{operation_id}.training", f"{operation_id}.backtest"):
        stored += await of_workflow(client, workflow_id)
    assert_unreadable(stored, BRIEF, KEY, *STRATEGY, "log_loss", "sharpe")


async def test_a_failure_and_what_it_is_resumed_from_cannot_be_read(
    encrypted: tuple[Client, Settings],
) -> None:
    client, own = encrypted
    async with serving(create_app(own, client)) as api:
        body = {"symbol": FLAT, "strategy": "quick"}
        operation_id = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
        failed = await ended(api, operation_id)
        assert FAILURE_OF_FLAT in failed["error_message"]
        stored = await of_workflow(client, operation_id)
        stored += await of_workflow(client, f"{operation_id}.training")
        headers = {"Idempotency-Key": KEY}
        resuming = await api.post(f"/operations/{operation_id}/resume", headers=headers)
        accepted(resuming, 202)
        assert FAILURE_OF_FLAT in (await ended(api, operation_id))["error_message"]
    stored += await of_workflow(client, operation_id)
    assert_unreadable(stored, FAILURE_OF_FLAT, "Traceback", KEY, *STRATEGY, "checkpoint_type")


async def test_progress_cannot_be_read(encrypted: tuple[Client, Settings]) -> None:
    client, own = encrypted
    async with serving(create_app(own, client)) as api:
        body = RESEARCH | {"trials": 5000}
        operation_id = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]

        async def trying() -> bool:
            shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
            return "Trial" in shown["progress"]["current_step"]

        async def store_with_progress() -> list[Message] | None:
            stored = await of_workflow(client, operation_id)
            description = stored[-1]
            assert isinstance(description, DescribeWorkflowExecutionResponse)
            # A slice that has just begun has none yet.
            beats = [each.heartbeat_details.payloads for each in description.pending_activities]
            return stored if any(beats) else None

        await assert_eventually(trying, within=PATIENCE)
        stored = await assert_eventually(store_with_progress, within=PATIENCE)
        assert stored is not None
        accepted(await api.delete(f"/agent/cancel/{operation_id}", params={"wait": 30}))
    assert_unreadable(stored, BRIEF, "percentage", "current_step", "sharpe")


async def test_a_schedule_cannot_be_read(encrypted: tuple[Client, Settings]) -> None:
    client, own = encrypted
    async with serving(create_app(own, client)) as api:
        body = {"schedule_id": "nightly", "cron": "30 6 * * *", "paused": True}
        accepted(await api.post("/schedules", json=body | {"research": RESEARCH}), 201)
        accepted(await api.post("/schedules/nightly/trigger"), 202)

        async def started() -> list[dict[str, str]]:
            schedule = accepted(await api.get("/schedules/nightly"))["data"]
            assert schedule["research"]["brief"] == BRIEF
            runs: list[dict[str, str]] = schedule["recent_runs"]
            return runs

        [run] = await assert_eventually(started, within=PATIENCE)
        operation = await ended(api, run["operation_id"])
        assert operation["metadata"]["parameters"]["brief"] == BRIEF
    stored = await of_schedule(client, "nightly") + await of_workflow(client, run["operation_id"])
    assert_unreadable(stored, BRIEF, *STRATEGY, "sharpe")


async def test_the_codec_server_lets_the_temporal_command_read(
    encrypted: tuple[Client, Settings],
) -> None:
    client, own = encrypted
    async with served(create_app(own, client)) as api:
        answer = await api.post("/agent/trigger", json=RESEARCH)
        operation_id = accepted(answer, 202)["operation_id"]
        await ended(api, operation_id)
        show = ("workflow", "show", "-w", operation_id, "-o", "json")
        assert BRIEF.encode() not in shown(await temporal_command(client, *show))
        endpoint = ("--codec-endpoint", str(api.base_url.join("/codec")))
        assert BRIEF.encode() in shown(await temporal_command(client, *show, *endpoint))


async def test_without_keys_there_is_no_codec(api: httpx2.AsyncClient) -> None:
    refused(await api.post("/codec/decode", json={"payloads": []}), 404, "missing_artifact")


async def test_the_codec_says_what_it_cannot_read(
    encrypted: tuple[Client, Settings], tmp_path: Path
) -> None:
    client, own = encrypted
    strange = tmp_path / "strange.json"
    rotate_key(strange)
    [payload] = await EncryptingCodec(strange).encode([Payload(data=b"x")])
    from google.protobuf.json_format import MessageToDict

    async with serving(create_app(own, client)) as api:
        body = {"payloads": [MessageToDict(payload)]}
        answer = await api.post("/codec/decode", json=body)
        assert "Unknown encryption key" in refused(answer, 422, "unreadable_payload")["detail"]
        refused(await api.post("/codec/decode", content=b"{"), 422, "invalid_input", "body")
        plain = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}
        there = (await api.post("/codec/encode", json=plain)).json()
        assert there != plain
        assert (await api.post("/codec/decode", json=there)).json() == plain


async def test_after_a_rotation_old_payloads_stay_readable(keys: Path) -> None:
    codec = EncryptingCodec(keys)
    [before] = await codec.encode([Payload(data=b"before")])
    first = open_key_file(keys).read().current
    second = rotate_key(keys)
    [after] = await codec.encode([Payload(data=b"after")])
    assert (before.metadata["encryption-key-id"], after.metadata["encryption-key-id"]) == (
        first.encode(),
        second.encode(),
    )
    assert [each.data for each in await codec.decode([before, after])] == [b"before", b"after"]
    [again] = await codec.encode([Payload(data=b"after")])
    assert again.data != after.data
    content = json.loads(await asyncio.to_thread(keys.read_text))
    del content["keys"][first]
    await asyncio.to_thread(keys.write_text, json.dumps(content))
    with pytest.raises(UnreadablePayload, match="Unknown encryption key"):
        await codec.decode([before])
    after.data = after.data[:-1] + bytes([after.data[-1] ^ 1])
    with pytest.raises(UnreadablePayload, match="failed authentication"):
        await codec.decode([after])


@pytest.mark.parametrize(
    "content", ["", "{}", '{"current": "a", "keys": {}}', '{"current": "a", "keys": {"a": "AAAA"}}']
)
async def test_a_key_file_that_cannot_be_used_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    await asyncio.to_thread(path.write_text, content)
    with pytest.raises(StartupError, match="KTRDR_PAYLOAD_KEYS") as refusal:
        await connect(payload_keys=path)
    assert "AAAA" not in refusal.value.message
