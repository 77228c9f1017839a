"""`/operations`: everything that has an operation id."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Header, Query, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.audit import record_action
from api.auth.authentication import KeyCheckDep
from api.auth.authorization import AccessDep
from api.dependencies import (
    BoardDep,
    FeedDep,
    IdempotencyKeyDep,
    VisibleDep,
    WaitSeconds,
)
from api.errors import document_errors
from api.listing.filters import OperationPage
from api.operations.batch_cancel import BatchSelection
from api.operations.events import make_event_id
from api.operations.figures import add_figures
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
from api.paths import ResourceRouter, locate
from api.services import ServicesDep
from api.steps.listing import is_activity_step
from errors import InvalidInput
from quant.messages.data import Symbol
from workflows.interface.contract import ACTIVE

router = ResourceRouter(
    prefix="/operations",
    tags=["operations"],
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

REPORT_HEADERS = {
    # A report shows text from outside. So it may load nothing, and run no script.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_operations(
    services: ServicesDep, access: AccessDep, page: Annotated[OperationPage, Query()]
) -> OperationListResponse:
    """List operations, newest first; designs and assessments of the last hundred researches."""
    page.require_agreement()
    page = page.model_copy(update={"owner": access.restrict_owner(page.owner)})
    if is_activity_step(page):
        return await services.activity_steps.read(page)
    return await services.operations.read(page)


@router.get("/events", response_class=EventSourceResponse)
async def get_all_events(
    board: BoardDep, key_is_valid: KeyCheckDep, chosen: VisibleDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream what runs: the event `operations` with all that match, then with what has changed.

    Steps of researches are folded into their research. Everything is looked at once a second,
    however many follow.
    """
    async for event in board.watch(chosen, key_is_valid):
        yield ServerSentEvent(event="operations", data=event)


@router.delete("", status_code=HTTPStatus.ACCEPTED)
async def cancel_operations(
    services: ServicesDep, access: AccessDep, selection: Annotated[BatchSelection, Query()]
) -> BatchCancelResponse:
    """Cancel all running operations that match the filter; `dry_run` only lists them."""
    selection.require_filter()
    chosen = selection.model_copy(
        update={
            "owner": access.restrict_owner(selection.owner),
            "reason": access.caller.sign_reason(selection.reason) or "",
        }
    )
    answer = await services.batch_canceller.cancel(chosen)
    if answer.data.batch_id is not None:
        record_action(
            access.caller,
            "batch cancelled",
            answer.data.batch_id,
            matched=answer.data.matched,
            selection=chosen.model_dump(mode="json", exclude_defaults=True),
        )
        for operation_id in answer.data.operation_ids:
            record_action(access.caller, "cancelled", operation_id)
    return answer


@router.get("/{operation_id:id}")
async def get_operation(services: ServicesDep, operation_id: str) -> OperationResponse:
    """Return one operation with its progress."""
    operation = await services.resolver.find_operation(operation_id)
    return OperationResponse(data=await services.presenter.present(operation))


@router.delete("/{operation_id:id}")
async def cancel_operation(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    body: Annotated[CancelRequest, Body(default_factory=CancelRequest)],
    wait: WaitSeconds = 2.0,
) -> OperationCancelResponse:
    """Cancel an operation of any type; cancelling a step cancels its research."""
    cancelled = await services.canceller.cancel_operation(
        operation_id,
        reason=access.caller.sign_reason(body.reason),
        force=body.force,
        wait_seconds=wait,
    )
    record_action(access.caller, "terminated" if body.force else "cancelled", operation_id)
    return cancelled


@router.post(
    "/{operation_id:id}/resume",
    status_code=HTTPStatus.ACCEPTED,
)
async def resume_operation(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    key: IdempotencyKeyDep,
    response: Response,
) -> ResumeResponse:
    """Continue a cancelled or failed operation under its own ID, from its first unfinished step."""
    resumed = await services.recovery.resume(operation_id, key)
    locate(response, operation_id)
    record_action(access.caller, "resumed", operation_id)
    return ResumeResponse(data=resumed)


@router.post(
    "/{operation_id:id}/retry",
    status_code=HTTPStatus.ACCEPTED,
)
async def retry_operation(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    key: IdempotencyKeyDep,
    response: Response,
) -> OperationResponse:
    """Start a cancelled or failed operation again, under a new ID with `retry_of` set."""
    retry_id = await services.recovery.retry(operation_id, key)
    locate(response, retry_id)
    record_action(access.caller, "retried", retry_id)
    return OperationResponse(data=await services.resolver.find_operation(retry_id))


@router.get("/{operation_id:id}/children")
async def get_children(services: ServicesDep, operation_id: str) -> ChildrenResponse:
    """List the steps that an operation has begun, in their order."""
    return await services.results.read_children(operation_id)


@router.get("/{operation_id:id}/results")
async def get_results(services: ServicesDep, operation_id: str) -> ResultsResponse:
    """Return the result of an operation."""
    return await services.results.read_results(operation_id)


@router.get("/{operation_id:id}/metrics", responses=document_errors(HTTPStatus.GONE))
async def get_metrics(services: ServicesDep, operation_id: str) -> MetricsResponse:
    """Return the metrics of a training by iteration, also while it runs."""
    return await services.results.read_metrics(operation_id)


@router.get(
    "/{operation_id:id}/events",
    response_class=EventSourceResponse,
)
async def get_events(
    feed: FeedDep,
    key_is_valid: KeyCheckDep,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="ID of the last event that was received")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream an operation: the event `progress` on every change, and `end` when it has ended."""
    async for operation in feed.watch(key_is_valid):
        event_id = make_event_id(operation)
        if operation.status not in ACTIVE:
            yield ServerSentEvent(event="end", id=event_id, data=add_figures(operation))
        elif event_id != last_event_id:
            yield ServerSentEvent(event="progress", id=event_id, data=operation)


@router.get(
    "/{operation_id:id}/report",
    response_class=HTMLResponse,
    responses={
        HTTPStatus.OK: {
            "content": {
                "application/json": {
                    "schema": {"type": "object", "description": "With `format=json`"},
                    "example": {"input": {}, "result": {"verdict": "poor"}, "versions": {}},
                }
            }
        },
        **document_errors(HTTPStatus.GONE),
    },
)
async def get_report(
    services: ServicesDep,
    operation_id: str,
    kind: Annotated[ReportFormat, Query(alias="format")] = "html",
    instrument: Annotated[
        Symbol | None,
        Query(description="Instead of the report, the page of one instrument: price and trades"),
    ] = None,
) -> Response:
    """Return the report of a research: one self-contained page, or its data as JSON."""
    if instrument is not None:
        if kind == "json":
            raise InvalidInput(
                "instrument: has no effect with `format=json`, which has all of them.",
                field="instrument",
            )
        page = await services.results.read_instrument(operation_id, instrument)
        return HTMLResponse(page, headers=REPORT_HEADERS)
    report = await services.results.read_report(operation_id, kind)
    if kind == "json":
        return Response(report, media_type="application/json")
    return HTMLResponse(report, headers=REPORT_HEADERS)
