"""Serves every route of the API with and without its prefix."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.paths import API_PREFIX


class OptionalPrefix:
    """Takes the prefix, if a path has it, for the place where the application is mounted.

    So routes exist once. To compare a path with all of them twice would take longer than most
    answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["path"].startswith(f"{API_PREFIX}/"):
            scope["root_path"] = API_PREFIX
        await self._app(scope, receive, send)
