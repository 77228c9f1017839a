"""The OpenAPI schema: FastAPI's own, with examples and the media type of problems."""

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.errors import PROBLEM_MEDIA_TYPE, Problem
from api.examples.answers import ANSWERS
from api.paths import API_PREFIX
from errors import (
    ArtifactsDeleted,
    InvalidInput,
    KtrdrError,
    NotFinished,
    OperationNotFound,
    TemporalUnavailable,
)

_EXAMPLE_REASON = {
    HTTPStatus.NOT_FOUND: OperationNotFound.reason,
    HTTPStatus.CONFLICT: NotFinished.reason,
    HTTPStatus.GONE: ArtifactsDeleted.reason,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidInput.reason,
    HTTPStatus.INTERNAL_SERVER_ERROR: KtrdrError.reason,
    HTTPStatus.SERVICE_UNAVAILABLE: TemporalUnavailable.reason,
}


class DocumentedApp(FastAPI):
    """An application whose schema includes example answers."""

    def openapi(self) -> dict[str, Any]:
        """Return the schema."""
        complete = self.openapi_schema is not None
        schema = super().openapi()
        if not complete:
            for name, component in schema["components"]["schemas"].items():
                if name in ANSWERS:
                    component["examples"] = [ANSWERS[name]]
            # Routes exist without the prefix, too.
            schema["paths"] = {
                f"{API_PREFIX}{path}": operations for path, operations in schema["paths"].items()
            }
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _add_problem_examples(path, operation["responses"])
        return schema


def make_route_id(route: APIRoute) -> str:
    """Return the name of a route in the schema, from which generators of clients make theirs."""
    methods = "_".join(sorted(route.methods or ())).lower()
    return re.sub(r"\W", "_", f"{route.name}{API_PREFIX}{route.path_format}_{methods}")


def _add_problem_examples(path: str, responses: dict[str, Any]) -> None:
    """Give every problem its media type and an example."""
    for status, response in responses.items():
        if not status.startswith("2"):
            _, content = response["content"].popitem()
            media_type = "application/json"
            if content["schema"]["$ref"].endswith(f"/{Problem.__name__}"):
                media_type = PROBLEM_MEDIA_TYPE
                content["example"] = _make_problem(
                    path, HTTPStatus(int(status)), response["description"]
                )
            response["content"] = {media_type: content}


def _make_problem(path: str, status: HTTPStatus, description: str) -> dict[str, Any]:
    return Problem(
        title=status.phrase,
        status=status,
        detail=description,
        instance=path,
        reason=_EXAMPLE_REASON.get(status, status.phrase.lower().replace(" ", "_")),
        message=description,
    ).model_dump(exclude_none=True)
