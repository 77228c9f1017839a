"""Clients that open many connections, or send slowly."""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from temporalio.client import Client

from api.app import create_app
from api.server import BoundedConnection
from settings import Settings
from tests.support.helpers import ROOT, assert_eventually, free_port, process
from tests.support.served import listening


@contextlib.asynccontextmanager
async def serve(settings: Settings, client: Client) -> AsyncIterator[int]:
    """Serve as `python -m api` does, and yield the port."""
    app = create_app(settings, client)
    with listening() as (bound, _):
        server = uvicorn.Server(uvicorn.Config(app, http=BoundedConnection, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def say(port: int, *parts: bytes) -> bytes:
    """Send something, and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(60):
        heard = await reader.read()
    writer.close()
    return heard


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\n",
    ],
)
async def test_who_does_not_finish_the_headers_is_disconnected(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr("api.server.SECONDS_FOR_HEADERS", 0.2)
    async with serve(settings, client) as port:
        heard = await say(port, sent)
    assert heard.count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")


async def test_who_does_not_finish_the_body_is_refused_and_takes_no_place(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.middleware.body_limit._SECONDS_FOR_BODY", 0.2)
    head = b"POST /agent/trigger HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    async with serve(settings, client) as port:
        heard = await say(port, head + b"Content-Length: 100\r\n\r\n{")
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b'"reason":"request_timeout"' in heard


async def test_one_connection_too_many_is_refused(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.server.MOST_CONNECTIONS", 2)
    async with serve(settings, client) as port:
        with contextlib.ExitStack() as open_connections:
            for _ in range(2):
                open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
            heard = await say(port)
            assert heard.startswith(b"HTTP/1.1 503 ")
            assert b'"reason":"busy"' in heard
            assert b"Retry-After: 2" in heard

        async def answers() -> bool:
            try:
                async with httpx2.AsyncClient() as http:
                    return (await http.get(f"http://localhost:{port}/health")).is_success
            except httpx2.TransportError:
                return False

        await assert_eventually(answers)


_FILES = 128


def _allow_few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))


async def test_more_connections_than_files_leave_the_api_alive_and_its_log_short(
    tmp_path: Path,
) -> None:
    port = free_port()
    environment = os.environ | {"KTRDR_API_PORT": str(port), "KTRDR_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "api"]
    log = tmp_path / "api.log"
    with (
        log.open("wb") as output,
        process(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_allow_few_files,
        ),
    ):

        async def answers() -> bool:
            try:
                async with httpx2.AsyncClient(timeout=5) as http:
                    return (await http.get(f"http://127.0.0.1:{port}/health")).is_success
            except httpx2.TransportError:
                return False

        await assert_eventually(answers, within=90)
        with contextlib.ExitStack() as connections:
            for _ in range(2 * _FILES):
                connection = socket.create_connection(("127.0.0.1", port), timeout=30)
                connections.enter_context(connection)
            # The last one is answered or closed, so all have been looked at.
            connection.recv(1)
        await assert_eventually(answers, within=60)
    assert log.stat().st_size < 20_000, log.read_bytes()[:3000]
