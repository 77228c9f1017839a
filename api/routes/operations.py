"""`/operations`: everything that has an operation id."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query
from fastapi.responses import HTMLResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.access import AccessDep, KeyDep
from api.dependencies import FeedDep, LocateDep, ServicesDep, Wait
from api.errors import refusals
from api.operations.batch_cancel import BatchSelection, cancel_many, require_selective
from api.operations.events import state_id
from api.operations.list import OperationPage, list_operations
from api.operations.results import ReportFormat
from api.operations.schemas import (
    BatchCancelResponse,
    CancelRequest,
    ChildrenResponse,
    MetricsResponse,
    OperationCancelResponse,
    OperationListResponse,
    OperationResponse,
    ResultsResponse,
    ResumeResponse,
)
from workflows.contract import ACTIVE

router = APIRouter(
    prefix="/operations",
    tags=["operations"],
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_ARTIFACT_IS_DATA = {
    # A report shows text from outside. It needs no scripts and no other origins.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_operations(
    services: ServicesDep, access: AccessDep, page: Annotated[OperationPage, Query()]
) -> OperationListResponse:
    """List operations, newest first."""
    page = page.model_copy(update={"owner": access.narrowed(page.owner)})
    return await list_operations(services.client, page)


@router.delete("", status_code=HTTPStatus.ACCEPTED)
async def cancel_operations(
    services: ServicesDep, access: AccessDep, selection: Annotated[BatchSelection, Query()]
) -> BatchCancelResponse:
    """Cancel all running operations that match the filter; `dry_run` only lists them."""
    require_selective(selection)
    chosen = selection.model_copy(
        update={
            "owner": access.narrowed(selection.owner),
            "reason": access.signed(selection.reason) or "",
        }
    )
    answer = await cancel_many(services.client, chosen)
    if answer.data.batch_id is not None:
        access.log(
            "batch cancelled",
            answer.data.batch_id,
            matched=answer.data.matched,
            selection=chosen.model_dump(mode="json", exclude_defaults=True),
        )
        for operation_id in answer.data.operation_ids:
            access.log("cancelled", operation_id)
    return answer


@router.get("/{operation_id}")
async def get_operation(services: ServicesDep, operation_id: str) -> OperationResponse:
    """Return one operation with its progress."""
    return OperationResponse(data=await services.resolver.operation(operation_id))


@router.delete("/{operation_id}")
async def cancel_operation(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    body: Annotated[CancelRequest, Body(default_factory=CancelRequest)],
    wait: Wait = 2.0,
) -> OperationCancelResponse:
    """Cancel an operation of any type; cancelling a step cancels its research."""
    cancelled = await services.canceller.cancel_operation(
        operation_id, reason=access.signed(body.reason), force=body.force, wait_seconds=wait
    )
    access.log("terminated" if body.force else "cancelled", operation_id)
    return cancelled


@router.post(
    "/{operation_id}/resume",
    status_code=HTTPStatus.ACCEPTED,
)
async def resume_operation(
    services: ServicesDep, access: AccessDep, operation_id: str, key: KeyDep, locate: LocateDep
) -> ResumeResponse:
    """Continue a cancelled or failed operation under its own ID, from its first unfinished step."""
    resumed = await services.continuer.resume(operation_id, key)
    locate(operation_id)
    access.log("resumed", operation_id)
    return ResumeResponse(data=resumed)


@router.post(
    "/{operation_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
)
async def retry_operation(
    services: ServicesDep, access: AccessDep, operation_id: str, key: KeyDep, locate: LocateDep
) -> OperationResponse:
    """Start a cancelled or failed operation again, under a new ID with `retry_of` set."""
    retry_id = await services.continuer.retry(operation_id, key)
    locate(retry_id)
    access.log("retried", retry_id)
    return OperationResponse(data=await services.resolver.operation(retry_id))


@router.get("/{operation_id}/children")
async def get_children(services: ServicesDep, operation_id: str) -> ChildrenResponse:
    """List the steps that an operation has begun, in their order."""
    return await services.reader.children(operation_id)


@router.get("/{operation_id}/results")
async def get_results(services: ServicesDep, operation_id: str) -> ResultsResponse:
    """Return the result of an operation."""
    return await services.reader.results(operation_id)


@router.get("/{operation_id}/metrics")
async def get_metrics(services: ServicesDep, operation_id: str) -> MetricsResponse:
    """Return the metrics of a training by iteration, also while it runs."""
    return await services.reader.metrics(operation_id)


@router.get(
    "/{operation_id}/events",
    response_class=EventSourceResponse,
)
async def get_events(
    feed: FeedDep,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="ID of the last event that was received")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream an operation: the event `progress` on every change, and `end` when it has ended."""
    async for operation in feed.states():
        state = state_id(operation)
        if operation.status not in ACTIVE:
            yield ServerSentEvent(event="end", id=state, data=operation)
        elif state != last_event_id:
            yield ServerSentEvent(event="progress", id=state, data=operation)


@router.get(
    "/{operation_id}/report",
    response_class=HTMLResponse,
    responses={
        HTTPStatus.OK: {
            "content": {
                "application/json": {
                    "schema": {"type": "object", "description": "With `format=json`"},
                    "example": {"input": {}, "result": {"verdict": "poor"}, "versions": {}},
                }
            }
        }
    },
)
async def get_report(
    services: ServicesDep,
    operation_id: str,
    kind: Annotated[ReportFormat, Query(alias="format")] = "html",
) -> Response:
    """Return the report of a research: one self-contained page, or its data as JSON."""
    report = await services.reader.report(operation_id, kind)
    if kind == "json":
        return Response(report, media_type="application/json")
    return HTMLResponse(report, headers=_ARTIFACT_IS_DATA)
