"""The OpenAPI schema: FastAPI's own, with examples and the media type of problems."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from api.errors import PROBLEM_MEDIA_TYPE, Problem
from api.examples import ANSWERS
from errors import InvalidInput, KtrdrError, NotFinished, OperationNotFound, TemporalUnavailable

_REASON = {
    HTTPStatus.NOT_FOUND: OperationNotFound.reason,
    HTTPStatus.CONFLICT: NotFinished.reason,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidInput.reason,
    HTTPStatus.INTERNAL_SERVER_ERROR: KtrdrError.reason,
    HTTPStatus.SERVICE_UNAVAILABLE: TemporalUnavailable.reason,
}


class DescribedApp(FastAPI):
    """An application whose schema includes example answers."""

    def openapi(self) -> dict[str, Any]:
        """Return the schema."""
        described = self.openapi_schema is not None
        schema = super().openapi()
        if not described:
            for name, component in schema["components"]["schemas"].items():
                if name in ANSWERS:
                    component["examples"] = [ANSWERS[name]]
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _describe_problems(path, operation["responses"])
        return schema


def _describe_problems(path: str, responses: dict[str, Any]) -> None:
    """Give problems, unlike successes, their own media type."""
    for status, response in responses.items():
        if not status.startswith("2"):
            _, content = response["content"].popitem()
            media_type = "application/json"
            if content["schema"]["$ref"].endswith(f"/{Problem.__name__}"):
                media_type = PROBLEM_MEDIA_TYPE
                content["example"] = _problem(
                    path, HTTPStatus(int(status)), response["description"]
                )
            response["content"] = {media_type: content}


def _problem(path: str, status: HTTPStatus, description: str) -> dict[str, Any]:
    return Problem(
        title=status.phrase,
        status=status,
        detail=description,
        instance=path,
        reason=_REASON.get(status, status.phrase.lower().replace(" ", "_")),
        message=description,
    ).model_dump(exclude_none=True)
