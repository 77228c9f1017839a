"""Lists may be asked for with a slash at the end, as some clients of the earlier system do."""

from collections.abc import Collection

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.paths import get_path

_READING = ("GET", "HEAD")


class TrailingSlash:
    """Leaves out the slash after the path of a list.

    Other paths keep theirs: it may belong to an id, and `DELETE /operations/`, with an empty id,
    must not become `DELETE /operations`.

    Args:
        app: The application.
        lists: The paths of all lists, without the prefix.
    """

    def __init__(self, app: ASGIApp, lists: Collection[str]) -> None:
        self._app = app
        self._lists = lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["method"] in _READING:
            path = get_path(Request(scope))
            if path.endswith("/") and path.removesuffix("/") in self._lists:
                # Not in a copy: outer middleware reads from this scope which route was taken.
                scope["path"] = scope["path"].removesuffix("/")
                scope["raw_path"] = scope["path"].encode()
        await self._app(scope, receive, send)
