import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.helpers import dev_server, free_port, new_namespace
from workflows import search_attributes
from workflows.connection import connect, register_search_attributes


async def test_a_process_that_starts_before_temporal_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    connecting = asyncio.create_task(connect())
    await asyncio.wait([connecting], timeout=0.5)
    assert not connecting.done()
    with dev_server(tmp_path, port):
        client = await connecting
        assert client.namespace == "default"


async def test_the_namespace_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, server: str, alone: Client
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", alone.namespace)
    client = await connect()
    assert client.namespace == alone.namespace


async def test_search_attributes_may_be_registered_again(temporal: Client) -> None:
    alone = await new_namespace(temporal)
    await register_search_attributes(alone)
    await register_search_attributes(alone)
    for key in search_attributes.ALL:
        assert (await alone.count_workflows(f"{key.name} = 'x'")).count == 0
