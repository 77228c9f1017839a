"""The paths of the API. Every route exists with and without the prefix."""

from fastapi import Request

API_PREFIX = "/api/v1"


def get_path(request: Request) -> str:
    """Return the path of a request, without the prefix."""
    return request.url.path.removeprefix(API_PREFIX)
