"""Refuses what a route does not take: unknown or repeated parameters, and bodies.

Models refuse the unknown fields of bodies by themselves.
"""

from collections import Counter
from collections.abc import Iterator
from typing import get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from errors import InvalidInput
from quant.wording import join_names

# What clients send that have nothing to say.
_EMPTY_BODIES = (b"", b"{}", b"null")

_MOST_NAMES = 30


async def refuse_undeclared(request: Request) -> None:
    """Check that the route takes all parameters of the query, and the body.

    Raises:
        InvalidInput: It does not take one of them, or one is given twice.
    """
    route = request.scope["route"]
    assert isinstance(route, APIRoute)  # noqa: S101 - this is a dependency of such routes only
    known = dict(_list_parameters(route.dependant))
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        shown = name[:100]
        if name not in known:
            takes = (
                f"this route takes {join_names(known, _MOST_NAMES)}"
                if known
                else "this route takes none"
            )
            raise InvalidInput(f"{shown}: unknown parameter; {takes}.", field=shown)
        if times > 1 and not known[name]:
            raise InvalidInput(f"{shown}: given {times} times.", field=shown)
    takes_body = route.body_field is not None or "requestBody" in (route.openapi_extra or {})
    if request.method == "GET" or takes_body:
        return
    if (await request.body()).strip() not in _EMPTY_BODIES:
        raise InvalidInput("body: this route takes no body.", field="body")


def _list_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the parameters of the query, those of a model one by one, and whether it is a list."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name in kind.model_fields:
                yield name, False
        else:
            yield field.alias, get_origin(kind) is list
    for each in dependant.dependencies:
        yield from _list_parameters(each)
