"""Applied to every request and answer: a check of the Host header, and security headers."""

from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from errors import StartupError
from settings import Settings

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # An answer to one key must not be cached for another.
    "Cache-Control": "no-store",
}


def require_safe(settings: Settings) -> None:
    """Return if the API may listen on its address.

    Raises:
        StartupError: other machines could reach it, and it has no keys.
    """
    if settings.api_keys is None and not _is_loopback(settings.api_host):
        raise StartupError(
            f"KTRDR_API_HOST: {settings.api_host} can be reached from other machines, and without "
            "API keys everybody may do everything. Create keys with `ktrdr admin keys add` and "
            "set KTRDR_API_KEYS."
        )


def split(names: str) -> list[str]:
    """Return the names in a comma-separated list."""
    return [name.strip() for name in names.split(",") if name.strip()]


class Guard:
    """Refuses requests for other hosts, and adds security headers to every answer.

    A page in a browser can call an API on loopback under the page's own host name (DNS rebinding);
    the Host header reveals that.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = {
            name.lower()
            for name in (*_LOOPBACK_NAMES, settings.api_host, *split(settings.api_allowed_hosts))
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, and pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        if _name_of(request.headers.get("host", "")) in self._hosts:
            await self._app(scope, receive, guarded)
            return
        refusal = problem(
            request,
            HTTPStatus.MISDIRECTED_REQUEST,
            "wrong_host",
            "Host header not allowed; KTRDR_API_ALLOWED_HOSTS lists the allowed names.",
        )
        await refusal(scope, receive, guarded)


def _name_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
