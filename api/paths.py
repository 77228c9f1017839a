"""The paths of the API. Every route exists with and without the prefix.

`api.middleware.prefix` lets both arrive as one.
"""

from functools import cached_property
from urllib.parse import quote, unquote

from fastapi import APIRouter, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match
from starlette.types import Scope

API_PREFIX = "/api/v1"


class _IdConvertor(Convertor[str]):
    """An id with any characters, as in `/operations/{operation_id:id}`. In a path they are encoded.

    `api.middleware.encoded_slashes` lets them arrive so.
    """

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return the id."""
        return unquote(value)

    def to_string(self, value: str) -> str:
        """Return the id as a part of a path."""
        return quote(value, safe="")


class _RestConvertor(_IdConvertor):
    """The same as the rest of a path, where a slash need not be encoded. It may be empty."""

    regex = ".*"


register_url_convertor("id", _IdConvertor())
register_url_convertor("rest", _RestConvertor())


def get_path(request: Request) -> str:
    """Return the path of a request, without the prefix."""
    path: str = request.scope["path"]
    return path.removeprefix(API_PREFIX)


def locate(response: Response, resource_id: str, resource: str = "operations") -> None:
    """Set the header `Location` to the path under which what was started is found."""
    response.headers["Location"] = f"{API_PREFIX}/{resource}/{quote(resource_id, safe='')}"


class ResourceRouter(APIRouter):
    """The routes of one resource. Whether one of them has a path, its first name tells.

    To compare a path with all routes of all resources, several times, would take most of the
    processor time of a request.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a route has the path, and what it takes from there."""
        if _get_first_name(scope["path"].removeprefix(API_PREFIX)) not in self._first_names:
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _first_names(self) -> frozenset[str]:
        # All routes have been added before the first request arrives.
        return frozenset(_get_first_name(getattr(each, "path", "")) for each in self.routes)


def _get_first_name(path: str) -> str:
    return path[1:].partition("/")[0]
