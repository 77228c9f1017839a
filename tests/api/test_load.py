"""Hostile and heavy requests hold nobody else up."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from api.middleware.body_limit import MAX_BODY_BYTES, MAX_PAYLOAD_BYTES
from settings import Settings
from temporal.converter import make_encrypting_converter
from temporal.encryption import EncryptingCodec, rotate_key
from tests.support.helpers import serving
from tests.support.lag import measuring_lag

# The collector of garbage is part of what a callback takes, and other tests leave it work.
_LONGEST_HOLD: Final = 0.1


def many_fields(size: int) -> bytes:
    """Return a JSON object of this size, with as many unknown fields as possible."""
    fields = ",".join(f'"{number:x}":1' for number in range(size // 8))
    return f"{{{fields}}}".encode()[: size - 1].rpartition(b",")[0] + b"}"


def fill(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


HEAVY: dict[str, tuple[str, bytes]] = {
    "fields": ("/agent/trigger", many_fields(MAX_BODY_BYTES)),
    "fields of a training": ("/trainings/start", many_fields(MAX_BODY_BYTES)),
    "lists": ("/schedules", b"[" * MAX_BODY_BYTES),
    "payloads to encrypt": (
        "/codec/encode",
        b'{"payloads":[' + fill(b"{},", MAX_PAYLOAD_BYTES - 20) + b"{}]}",
    ),
    "metadata of a payload": (
        "/codec/encode",
        json.dumps({"payloads": [{"metadata": {f"{n:x}": "" for n in range(60_000)}}]}).encode(),
    ),
    "payloads to decrypt": (
        "/codec/decode",
        b'{"payloads":[' + fill(b'{"data":""},', 24_000) + b"{}]}",
    ),
    "a strategy of many fields": ("/strategies/validate", fill(b"a%d: 1\n", 64_000)),
    "a strategy of many entries": ("/strategies/validate", b"a: [" + fill(b"1,", 64_000) + b"]"),
    "a strategy of one text": ("/strategies/validate", b"a: " + fill(b"x ", 64_000)),
}


@pytest_asyncio.fixture
async def encrypted_api(
    client: Client, settings: Settings, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that has keys for payloads."""
    rotate_key(tmp_path / "keys.json")
    config: dict[str, Any] = client.config()
    config["data_converter"] = make_encrypting_converter(EncryptingCodec(tmp_path / "keys.json"))
    async with serving(create_app(settings, Client(**config))) as http:
        yield http


@pytest.mark.parametrize("name", HEAVY)
async def test_no_body_holds_the_event_loop(encrypted_api: httpx2.AsyncClient, name: str) -> None:
    path, body = HEAVY[name]
    with measuring_lag() as lag:
        answer = await encrypted_api.post(path, content=body, timeout=60)
    assert answer.status_code in {200, 422}, answer.text[:1000]
    assert len(answer.content) < MAX_PAYLOAD_BYTES
    assert lag.longest < _LONGEST_HOLD, lag
