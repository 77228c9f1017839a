"""The server: uvicorn, with limits on time, on connections and on what it logs without them."""

import asyncio
import errno
import gc
import logging
import resource
import socket
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors import PROBLEM_MEDIA_TYPE, Problem
from errors import Busy
from settings import Settings
from temporal.shutdown import Deadline

_log = logging.getLogger(__name__)

_SECONDS_TO_FINISH_REQUESTS: Final = 3

# A request may wait for a silent database, in a thread that nothing interrupts.
_STOP_SECONDS: Final = 8.0

MOST_CONNECTIONS: Final = 1000

# Files that are not connections of clients: those of Temporal, the ledger and the artifacts.
_FILES_OF_OUR_OWN: Final = 64

# asyncio accepts so many before it lets a connection be refused.
_ACCEPTED_AT_ONCE: Final = 16
_WAITING_TO_BE_ACCEPTED: Final = 1024

SECONDS_FOR_HEADERS: Final = 10.0

_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_SECONDS_BETWEEN_WARNINGS: Final = 60.0


class BoundedConnection(H11Protocol):
    """Closes a connection that is one too many, or whose client is slow to send its headers."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, if there are not too many."""
        super().connection_made(transport)
        if len(self.connections) > _limit_connections():
            transport.write(_refuse_connection())
            transport.close()
        else:
            self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Take what a client has sent."""
        super().data_received(data)
        self._watch_headers()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that has ended."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        """Start the time limit when headers are awaited, and stop it when they are complete."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(SECONDS_FOR_HEADERS, self.transport.close)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """Stops within a time limit, whatever its requests wait for."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.api_host,
                port=settings.api_port,
                http=BoundedConnection,
                backlog=_ACCEPTED_AT_ONCE,
                # Requests are measured and audited by the application.
                access_log=False,
                # Uvicorn's messages go to our log, in its format.
                log_config=None,
                # Otherwise a client that follows an operation keeps the process alive until the
                # operation ends.
                timeout_graceful_shutdown=_SECONDS_TO_FINISH_REQUESTS,
            )
        )
        self._deadline = Deadline(_STOP_SECONDS)
        self._next_warning = 0.0

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        _raise_file_limit()
        asyncio.get_running_loop().set_exception_handler(self._report)
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. The system may keep more connections waiting than are accepted at once."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                with listening.dup() as same:
                    same.listen(_WAITING_TO_BE_ACCEPTED)
        # What was loaded stays. The garbage collector need not look at it again and again.
        gc.freeze()
        gc.enable()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and start the time limit."""
        self._deadline.begin()
        super().handle_exit(sig, frame)

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error of the event loop.

        When no further file can be opened, asyncio reports that many times a second.
        """
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED:
            loop.default_exception_handler(context)
        elif loop.time() >= self._next_warning:
            self._next_warning = loop.time() + _SECONDS_BETWEEN_WARNINGS
            _log.error("no connection can be accepted: %s", error.strerror)


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _limit_connections() -> int:
    """Return how many connections there may be, so that files remain for everything else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, files - _FILES_OF_OUR_OWN))


def _refuse_connection() -> bytes:
    """Return an answer to a client whose request is not even read."""
    message = "Too many connections. Try again in a moment."
    problem = Problem(
        title="Service Unavailable",
        status=503,
        detail=message,
        instance="",
        reason=Busy.reason,
        message=message,
    )
    body = problem.model_dump_json(exclude_none=True).encode()
    headers = (
        "HTTP/1.1 503 Service Unavailable",
        f"Content-Type: {PROBLEM_MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "Retry-After: 2",
        "Connection: close",
    )
    return "\r\n".join([*headers, "", ""]).encode() + body
