"""One shape for every refusal and error: RFC 9457 problem details, plus `reason` and `message`."""

from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.auth.audit import record_refusal
from errors import (
    ArtifactsDeleted,
    ArtifactsInUse,
    ArtifactsUnavailable,
    AtCapacity,
    BudgetExhausted,
    Busy,
    CheckpointNotFound,
    ExperimentNotFound,
    InvalidInput,
    KeysUnavailable,
    KtrdrError,
    LedgerUnavailable,
    MissingArtifact,
    NotAllowed,
    NotAuthenticated,
    NotCancellable,
    NotFinished,
    NotOffered,
    NotReproducible,
    NotResearch,
    NotResumable,
    NotRetryable,
    NotWatchable,
    OperationNotFound,
    ScheduleExists,
    ScheduleNotFound,
    TemporalUnavailable,
    UnreadablePayload,
    WatchNotFound,
)
from quant.problems import (
    MOST_PROBLEMS,
    explain,
    join_problems,
    leave_out_consequences,
    shorten,
)

# The first class of which an error is an instance decides.
_STATUS: dict[type[KtrdrError], HTTPStatus] = {
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    OperationNotFound: HTTPStatus.NOT_FOUND,
    ScheduleNotFound: HTTPStatus.NOT_FOUND,
    WatchNotFound: HTTPStatus.NOT_FOUND,
    ExperimentNotFound: HTTPStatus.NOT_FOUND,
    CheckpointNotFound: HTTPStatus.NOT_FOUND,
    NotOffered: HTTPStatus.NOT_FOUND,
    NotResearch: HTTPStatus.NOT_FOUND,
    MissingArtifact: HTTPStatus.NOT_FOUND,
    ArtifactsDeleted: HTTPStatus.GONE,
    ArtifactsInUse: HTTPStatus.CONFLICT,
    NotCancellable: HTTPStatus.CONFLICT,
    NotFinished: HTTPStatus.CONFLICT,
    NotResumable: HTTPStatus.CONFLICT,
    NotRetryable: HTTPStatus.CONFLICT,
    NotReproducible: HTTPStatus.CONFLICT,
    AtCapacity: HTTPStatus.CONFLICT,
    BudgetExhausted: HTTPStatus.CONFLICT,
    ScheduleExists: HTTPStatus.CONFLICT,
    NotWatchable: HTTPStatus.CONFLICT,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnreadablePayload: HTTPStatus.UNPROCESSABLE_ENTITY,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    TemporalUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    KeysUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ArtifactsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    KtrdrError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


_SECONDS_BEFORE_REPEAT = 2

_LONGEST_INSTANCE = 200


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str
    line: int | None = Field(None, description="Present if the body is a file of lines")


class Problem(BaseModel):
    """An RFC 9457 problem; `message` repeats `detail` for clients that know only that."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    success: bool = False
    reason: str
    message: str
    errors: list[FieldProblem] = []
    triggered: Literal[False] | None = Field(
        None, description="Present with `at_capacity` and `budget_exhausted`"
    )
    active_count: int | None = Field(None, description="Present with `at_capacity`")
    limit: int | None = Field(None, description="Present with `at_capacity`")


PROBLEM_MEDIA_TYPE = "application/problem+json"

_DESCRIPTIONS = {
    HTTPStatus.BAD_REQUEST: "The body cannot be decoded as text",
    HTTPStatus.UNAUTHORIZED: "The API key is missing or unknown",
    HTTPStatus.FORBIDDEN: "The API key lacks the required scope, or a page of another site asks",
    HTTPStatus.NOT_FOUND: "No resource has this ID",
    HTTPStatus.CONFLICT: "The current state does not allow this",
    HTTPStatus.GONE: "Its artifacts were deleted",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not arrive in time",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request is not valid",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal error",
    HTTPStatus.SERVICE_UNAVAILABLE: "Temporal or the ledger does not answer, or this API is busy",
}


def document_errors(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the errors that a route may answer with."""
    return {
        status.value: {"model": Problem, "description": _DESCRIPTIONS[status]}
        for status in statuses
    }


def make_problem_response(
    request: Request,
    status: int,
    reason: str,
    detail: str,
    errors: list[FieldProblem] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return an answer with a problem.

    Args:
        request: What is refused, or has failed.
        status: The status code.
        reason: The code of the error.
        detail: What went wrong, and what to do.
        errors: The fields that are not valid.
        **more: More fields of the problem.
    """
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=unquote(request.url.path)[:_LONGEST_INSTANCE],
        reason=reason,
        message=detail,
        errors=errors or [],
        **more,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=status,
        media_type=PROBLEM_MEDIA_TYPE,
    )


def answer_error(request: Request, error: KtrdrError) -> JSONResponse:
    """Return the answer to an expected error."""
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    response = make_problem_response(
        request,
        status,
        error.reason,
        error.message,
        _list_fields(error),
        **_get_more_fields(error),
    )
    if isinstance(error, NotAuthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(_SECONDS_BEFORE_REPEAT)
    return response


async def _answer_ktrdr_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KtrdrError)  # noqa: S101 - as registered below
    if isinstance(error, NotAuthenticated | NotAllowed):
        record_refusal(request, error.reason)
    return answer_error(request, error)


def _list_fields(error: KtrdrError) -> list[FieldProblem]:
    if isinstance(error, InvalidInput) and error.problems:
        return [FieldProblem(**each._asdict()) for each in error.problems]
    return [FieldProblem(field=error.field, message=error.message)] if error.field else []


def _get_more_fields(error: KtrdrError) -> dict[str, Any]:
    if isinstance(error, AtCapacity):
        return {"triggered": False, "active_count": error.active_count, "limit": error.limit}
    if isinstance(error, BudgetExhausted):
        return {"triggered": False}
    return {}


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered below
    found = leave_out_consequences([(_locate(each), each) for each in error.errors()])
    problems = [
        (place, explain(each, guess=number < MOST_PROBLEMS))
        for number, (place, each) in enumerate(found)
    ]
    fields = [
        FieldProblem(field=shorten(field), message=shorten(said))
        for field, said in problems[:MOST_PROBLEMS]
    ]
    detail = join_problems(problems)
    return make_problem_response(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", detail, fields
    )


def _locate(error: Any) -> str:
    """Return the field that pydantic's error is about."""
    # The first part of the location says whether it was the body, the path or the query.
    return ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered below
    reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    response = make_problem_response(request, error.status_code, reason, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def install_error_handlers(app: FastAPI) -> None:
    """Give every expected error and every refusal its one shape."""
    app.add_exception_handler(KtrdrError, _answer_ktrdr_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
