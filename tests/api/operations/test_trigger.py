import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from api.middleware.body_limit import MAX_BODY_BYTES
from tests.api.answers import accepted, refused
from workflows.interface.messages import ResearchInput

TRIGGER = "/api/v1/agent/trigger"

BAD_BODIES: list[tuple[dict[str, Any], str, str]] = [
    ({"symbol": "NOSUCH"}, "unknown_symbol", "symbol"),
    ({"symbol": "../../etc/passwd"}, "invalid_input", "symbol"),
    ({"symbol": "/etc/passwd"}, "invalid_input", "symbol"),
    ({"symbol": ""}, "invalid_input", "symbol"),
    ({"symbol": 7}, "invalid_input", "symbol"),
    ({"timeframe": "1y"}, "invalid_input", "timeframe"),
    ({"timeframe": "5m"}, "invalid_input", "timeframe"),
    ({"strategy": "nosuch"}, "unknown_strategy", "strategy"),
    ({"strategy": "../quick"}, "invalid_input", "strategy"),
    ({"brief": "x" * 4001}, "invalid_input", "brief"),
    ({"designer": "magic"}, "invalid_input", "designer"),
    ({"trials": 0}, "invalid_input", "trials"),
    ({"trials": 10**9}, "invalid_input", "trials"),
    ({"trials": "x"}, "invalid_input", "trials"),
    ({"trials": 2.5}, "invalid_input", "trials"),
    ({"trials": True}, "invalid_input", "trials"),
    ({"trials": None}, "invalid_input", "trials"),
    ({"seed": "x"}, "invalid_input", "seed"),
    ({"seed": -1}, "invalid_input", "seed"),
    ({"seed": 2**31}, "invalid_input", "seed"),
    ({"seed": 1.5}, "invalid_input", "seed"),
    ({"bypass_gates": "yes"}, "invalid_input", "bypass_gates"),
    ({"priority": 0}, "invalid_input", "priority"),
    ({"priority": 6}, "invalid_input", "priority"),
    ({"owner": "a' OR 'b"}, "invalid_input", "owner"),
    ({"owner": ""}, "invalid_input", "owner"),
    ({"tirals": 3}, "invalid_input", "tirals"),
]


async def count_started(client: Client) -> int:
    return (await client.count_workflows("OperationType = 'agent_research'")).count


async def test_an_accepted_research_is_found_at_its_location(
    api: httpx2.AsyncClient, client: Client
) -> None:
    response = await api.post(TRIGGER, json={"trials": 1, "seed": 7, "owner": "ada", "priority": 2})
    body = accepted(response, 202)
    assert body["triggered"] is True
    assert body["model"] == "search"
    assert body["message"]
    location = response.headers["location"]
    assert location == f"/api/v1/operations/{body['operation_id']}"
    operation = accepted(await api.get(location))["data"]
    assert operation["operation_id"] == body["operation_id"]
    assert operation["owner"] == "ada"
    description = await client.get_workflow_handle(body["operation_id"]).describe()
    assert description.raw_description.workflow_execution_info.priority.priority_key == 2


async def test_without_a_body_the_default_research_starts(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    body = accepted(await alone_api.post(TRIGGER), 202)
    handle = alone.get_workflow_handle(body["operation_id"])
    started_with = (
        (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    )
    [request] = await alone.data_converter.decode(started_with.input.payloads, [ResearchInput])
    assert request == ResearchInput(warnings=())


async def test_the_id_says_type_and_time(alone_api: httpx2.AsyncClient) -> None:
    body = accepted(await alone_api.post(TRIGGER, json={}), 202)
    pattern = r"op_agent_research_\d{8}_\d{6}_[0-9a-f]{8}"
    assert re.fullmatch(pattern, body["operation_id"])


async def test_a_second_research_starts_while_the_first_runs(
    alone_api: httpx2.AsyncClient,
) -> None:
    ids = {accepted(await alone_api.post(TRIGGER), 202)["operation_id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(("body", "reason", "field"), BAD_BODIES, ids=lambda value: str(value)[:30])
async def test_the_refusal_of_bad_input_names_the_field(
    api: httpx2.AsyncClient, client: Client, body: dict[str, Any], reason: str, field: str
) -> None:
    before = await count_started(client)
    refused(await api.post(TRIGGER, json=body), 422, reason, field)
    assert await count_started(client) == before


async def test_brief_and_strategy_together_are_refused(api: httpx2.AsyncClient) -> None:
    response = await api.post(TRIGGER, json={"brief": "trend", "strategy": "quick"})
    detail = refused(response, 422, "invalid_input")["detail"]
    assert "brief" in detail
    assert "strategy" in detail


async def test_the_refusal_of_an_unknown_name_lists_the_known_ones(api: httpx2.AsyncClient) -> None:
    response = await api.post(TRIGGER, json={"symbol": "NOSUCH"})
    assert "Known symbols: " in refused(response, 422, "unknown_symbol")["detail"]
    response = await api.post(TRIGGER, json={"strategy": "nosuch"})
    assert "momentum" in refused(response, 422, "unknown_strategy")["detail"]


async def test_a_link_out_of_the_data_directory_is_not_a_symbol(
    api: httpx2.AsyncClient, data_dir: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_bytes((data_dir / "GOOD.csv").read_bytes())
    link = data_dir / "ESCAPE.csv"
    link.symlink_to(outside)
    try:
        response = await api.post(TRIGGER, json={"symbol": "ESCAPE"})
    finally:
        link.unlink()
    refused(response, 422, "unknown_symbol", "symbol")


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"{", 422, "invalid_input"),
        (b"trials=3", 422, "invalid_input"),
        (b"[1, 2]", 422, "invalid_input"),
        (b'"text"', 422, "invalid_input"),
        (b'{"owner": "\xff\xfe"}', 400, "bad_request"),
        (b'{"trials": NaN}', 422, "invalid_input"),
        (b"[" * 80_000, 400, "bad_request"),
        (b'{"owner": "' + b"x" * 10_000_000 + b'"}', 413, "request_entity_too_large"),
    ],
    ids=["cut", "form", "list", "text", "not-utf-8", "nan", "nested", "10-mb"],
)
async def test_an_unreadable_body_is_refused(
    api: httpx2.AsyncClient, client: Client, content: bytes, status: int, reason: str
) -> None:
    before = await count_started(client)
    headers = {"content-type": "application/json"}
    refused(await api.post(TRIGGER, content=content, headers=headers), status, reason)
    assert await count_started(client) == before


async def test_a_large_body_of_unknown_length_is_refused(api: httpx2.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(MAX_BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    response = await api.post(TRIGGER, content=chunks(), headers=headers)
    refused(response, 413, "request_entity_too_large")


async def test_another_method_is_refused(api: httpx2.AsyncClient) -> None:
    response = await api.get(TRIGGER)
    refused(response, 405, "method_not_allowed")
    assert "POST" in response.headers["allow"]
