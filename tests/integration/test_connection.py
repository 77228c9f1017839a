import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.installation import set_up
from settings import Settings
from tests.helpers import assert_eventually, dev_server, free_port, new_namespace
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


async def test_setup_changes_the_retention_once_and_says_so(
    monkeypatch: pytest.MonkeyPatch, server: str, alone: Client, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", alone.namespace)
    settings = Settings(home=tmp_path)
    changes = await set_up(settings, retention_hours=48)
    assert "retention changed from 1 day, 0:00:00 to 2 days, 0:00:00" in changes

    async def nothing_left() -> bool:
        # The server takes a moment to show its own namespaces as they have become.
        return await set_up(settings, retention_hours=48) == []

    assert await assert_eventually(nothing_left)
