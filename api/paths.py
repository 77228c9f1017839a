"""The paths of the API. Every route exists with and without the prefix."""

from urllib.parse import quote, unquote

from fastapi import Request
from starlette.convertors import Convertor, register_url_convertor

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
    return request.url.path.removeprefix(API_PREFIX)
