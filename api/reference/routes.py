"""`/docs`: Swagger UI, with files that we serve ourselves."""

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Header
from fastapi.responses import Response
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

# Swagger UI comes with this package. Redoc, which does too, needs styles that no policy should
# allow.
_SWAGGER: Final = "fastapi_offline"
_OWN: Final = "api.reference"
_INDEX: Final = "index.html"
_FILES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        _INDEX: (_OWN, "text/html; charset=utf-8"),
        "start.js": (_OWN, "text/javascript; charset=utf-8"),
        "swagger-ui-bundle.js": (_SWAGGER, "text/javascript; charset=utf-8"),
        "swagger-ui.css": (_SWAGGER, "text/css; charset=utf-8"),
        "favicon.png": (_SWAGGER, "image/png"),
    }
)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _File(NamedTuple):
    content: bytes
    media_type: str
    etag: str


@router.get("/docs")
async def get_reference(
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Return the page."""
    return _answer(_INDEX, if_none_match)


@router.get("/docs/{name}")
async def get_file(
    name: str, if_none_match: Annotated[str | None, Header(max_length=1000)] = None
) -> Response:
    """Return a file that the page loads."""
    if name not in _FILES or name == _INDEX:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _answer(name, if_none_match)


def _answer(name: str, known: str | None) -> Response:
    """Return a file. A browser keeps it, and asks each time whether it has changed."""
    file = _load(name)
    headers = {
        "ETag": file.etag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
    }
    if known is not None and file.etag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


@cache
def _load(name: str) -> _File:
    package, media_type = _FILES[name]
    content = (files(package) / "static" / name).read_bytes()
    return _File(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
