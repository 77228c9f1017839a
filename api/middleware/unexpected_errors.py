"""The answer to an unexpected error.

Starlette handles such errors outside all middleware. That answer would have no security headers and
would not be counted.
"""

import logging
from http import HTTPStatus

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import make_problem_response

_log = logging.getLogger(__name__)


class UnexpectedErrors:
    """Logs unexpected errors and answers them. Must be inside all other middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer if an error comes back."""
        answer_has_begun = False

        async def watch_and_send(message: Message) -> None:
            nonlocal answer_has_begun
            answer_has_begun = answer_has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch_and_send)
        except Exception as error:
            if scope["type"] != "http" or answer_has_begun:
                raise
            request = Request(scope)
            _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            answer = make_problem_response(
                request,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                "Internal error; see the log of the API.",
            )
            await answer(scope, receive, send)
