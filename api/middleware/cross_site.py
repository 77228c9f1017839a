"""A check that no web page of another site makes a browser send requests that change something.

Without API keys, everybody who reaches the API may do everything, and so may a page in the browser
of this machine. CORS only hides the answer from the page: a simple POST is sent all the same.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.audit import record_refusal
from api.errors import make_problem_response

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# `none` is a request that the user has made: an address that was typed, or a bookmark.
_OWN_SITES: Final = frozenset({"same-origin", "none"})


class CrossSiteCheck:
    """Refuses unsafe requests that a page of an origin that is not listed makes a browser send.

    Browsers say so in `Sec-Fetch-Site`, older ones in `Origin` alone. Other clients send neither.
    """

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        self._app = app
        self._origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it does not come from another site."""
        if scope["type"] == "http":
            request = Request(scope)
            if request.method not in _SAFE_METHODS and not self._is_allowed(request):
                record_refusal(request, "cross_site")
                refusal = make_problem_response(
                    request,
                    HTTPStatus.FORBIDDEN,
                    "cross_site",
                    "A page of another site may not do this; KTRDR_API_CORS_ORIGINS lists the "
                    "origins that may.",
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_allowed(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() in self._origins:
            return True
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site in _OWN_SITES
        return origin is None or _get_host(origin) == request.headers.get("host", "").lower()


def _get_host(origin: str) -> str:
    """Return the host and port of an origin. A proxy may have changed the scheme of the request."""
    try:
        return urlsplit(origin.lower()).netloc
    except ValueError:
        return ""
