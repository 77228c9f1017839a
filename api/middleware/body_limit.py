"""Reads the body of a request, within bounds of size and time, before anything is done with it.

FastAPI's own `max_body_size` answers in plain text, and a client may send a byte now and then for
hours. Here every refusal is problem details.
"""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import make_problem_response
from api.paths import get_path

MAX_BODY_BYTES: Final = 80 * 1024
"""A strategy file is the largest body, apart from payloads that are to be converted."""

MAX_PAYLOAD_BYTES: Final = 1024 * 1024

# To say what is wrong with a value takes a hundredth of a millisecond, on the event loop. A text of
# the longest brief may consist of commas.
_MOST_VALUES: Final = 5000

# What these do with a body takes no time of the event loop.
_OFF_THE_LOOP: Final = ("/codec/", "/strategies/validate")

_SECONDS_FOR_BODY: Final = 20.0


class BodyLimit:
    """Refuses a larger body with 413 and a slower one with 408."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when its whole body is here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        path = get_path(request)
        limit = MAX_PAYLOAD_BYTES if path.startswith("/codec/") else MAX_BODY_BYTES
        most_values = None if path.startswith(_OFF_THE_LOOP) else _MOST_VALUES
        try:
            async with asyncio.timeout(_SECONDS_FOR_BODY):
                message = await _read_body(receive, limit, most_values)
        except TimeoutError:
            status, reason = HTTPStatus.REQUEST_TIMEOUT, "request_timeout"
            detail = f"The body did not arrive within {_SECONDS_FOR_BODY:.0f} s."
            await make_problem_response(request, status, reason, detail)(scope, receive, send)
            return
        except OverflowError:
            status, reason = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_entity_too_large"
            detail = f"The body has more than {limit:,} bytes, or than {_MOST_VALUES:,} values."
            await make_problem_response(request, status, reason, detail)(scope, receive, send)
            return
        received: list[Message] = [message]

        async def receive_whole() -> Message:
            return received.pop() if received else await receive()

        await self._app(scope, receive_whole, send)


async def _read_body(receive: Receive, limit: int, most_values: int | None) -> Message:
    """Return the whole body as one message, or the message that the client has gone.

    Raises:
        OverflowError: It has more bytes or values.
    """
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > limit:
            raise OverflowError
        more = message.get("more_body", False)
    if most_values is not None and max(body.count(b","), body.count(b":")) > most_values:
        raise OverflowError
    return {"type": "http.request", "body": bytes(body), "more_body": False}
