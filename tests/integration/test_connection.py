import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.installation import set_up
from errors import StartupError
from settings import Settings
from temporal.connection import connect, load_configuration, register_search_attributes
from tests.support.helpers import ROOT, assert_eventually, free_port, looks_like_a_stack_trace
from tests.support.outside.temporal_server import dev_server, new_namespace
from workflows.interface import search_attributes


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


async def test_a_profile_says_where_temporal_is(
    monkeypatch: pytest.MonkeyPatch, server: str, alone: Client, tmp_path: Path
) -> None:
    profiles = tmp_path / "temporal.toml"
    profiles.write_text(
        f'[profile.desk]\naddress = "{server}"\nnamespace = "{alone.namespace}"\n'
        '[profile.cloud]\naddress = "cloud.example:7233"\napi_key = "secret"\n'
    )
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("TEMPORAL_PROFILE", "desk")
    assert (await connect()).namespace == alone.namespace
    monkeypatch.setenv("TEMPORAL_PROFILE", "cloud")
    assert load_configuration().get("api_key") == "secret"
    monkeypatch.setenv("TEMPORAL_API_KEY", "another")
    assert load_configuration().get("api_key") == "another"
    # With a key the connection is encrypted without another word.
    assert load_configuration().get("tls")


@pytest.mark.parametrize(
    "wrong",
    [
        {"TEMPORAL_PROFILE": "nosuch"},
        {"TEMPORAL_CONFIG_FILE": "broken.toml"},
        {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/nosuch/ca.pem"},
    ],
    ids=str,
)
async def test_settings_of_the_connection_that_cannot_be_used_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("[profile")
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StartupError, match="connection settings cannot be used"):
        await connect()


@pytest.mark.parametrize("command", [["-m", "api"], [str(ROOT / "worker.py")]], ids=str)
def test_a_process_whose_connection_is_refused_ends_with_one_sentence(command: list[str]) -> None:
    refused = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TEMPORAL_PROFILE": "nosuch"},
        timeout=120,
        check=False,
    )
    assert refused.returncode == 1
    assert "connection settings cannot be used" in refused.stderr
    assert not looks_like_a_stack_trace(refused.stderr)


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
