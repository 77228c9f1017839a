"""A check of the Host header."""

from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import make_problem_response
from settings import Settings

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def parse_names(names: str) -> list[str]:
    """Return the names in a comma-separated list."""
    return [name.strip() for name in names.split(",") if name.strip()]


class HostCheck:
    """Refuses requests for other hosts.

    A web page can make its own host name point to loopback and call an API there (DNS rebinding).
    The Host header then has the name of the page.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        names = (
            *_LOOPBACK_NAMES,
            settings.api_host,
            *parse_names(settings.api_allowed_hosts),
        )
        self._hosts = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its host is allowed."""
        if scope["type"] == "http":
            request = Request(scope)
            if _get_name(request.headers.get("host", "")) not in self._hosts:
                refusal = make_problem_response(
                    request,
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "wrong_host",
                    "Host header not allowed; KTRDR_API_ALLOWED_HOSTS lists the allowed names.",
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _get_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
