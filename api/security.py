"""What every request and answer has to pass, whatever the route: the Host header, safe headers."""

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
    # What a key may see must not be kept for who comes after.
    "Cache-Control": "no-store",
}


def require_safe(settings: Settings) -> None:
    """Return if the API may listen where it is told to.

    Raises:
        StartupError: others than this machine could reach it, and it has no keys.
    """
    if settings.api_keys is None and not _is_loopback(settings.api_host):
        raise StartupError(
            f"KTRDR_API_HOST: {settings.api_host} can be reached from elsewhere, and without API "
            "keys everybody may do everything. Make some with `ktrdr admin keys add` and set "
            "KTRDR_API_KEYS."
        )


def split(names: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


class Guard:
    """Refuses requests to other hosts, and adds safe headers to every answer.

    A page in a browser can be made to call an API on loopback under the name of its own host; the
    Host header gives that away.
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
            "This API is not called that; KTRDR_API_ALLOWED_HOSTS has its names.",
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
