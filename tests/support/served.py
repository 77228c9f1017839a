"""Applications behind a socket of loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import httpx2
import uvicorn
from fastapi import FastAPI


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """Yield a socket that listens, and its address.

    Not only a port, which somebody else might take before a server does.
    """
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound, f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextlib.asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve over TCP, because the transport for tests neither streams nor is seen by others."""
    with listening() as (bound, address):
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            async with httpx2.AsyncClient(base_url=address, timeout=60) as http:
                yield http
        finally:
            server.should_exit = True
            await serving
