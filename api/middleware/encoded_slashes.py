"""Keeps an encoded slash in a path apart from the slashes between its parts.

The id of an operation is that of a workflow, and whoever starts a workflow may put a slash into it.
A server decodes the whole path before it is split, after which the two cannot be told apart.
"""

from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

# The characters that have a meaning in a path, and those that would end it.
_KEPT_ENCODED: Final = {"%": "%25", "/": "%2F", "?": "%3F", "#": "%23"}
_TABLE: Final = str.maketrans(_KEPT_ENCODED)


class EncodedSlashes:
    """Decodes each part of a path by itself. `api.paths` decodes ids to their end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its path decoded."""
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None:
            # Not in a copy: outer middleware reads from this scope which route was taken.
            scope["path"] = "/".join(
                unquote(part).translate(_TABLE) for part in raw.decode("latin-1").split("/")
            )
        await self._app(scope, receive, send)
