"""`/operations`: everything that has an operation id."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import HTMLResponse

from api.batch import BatchSelection, cancel_many
from api.dependencies import ServicesDep, Wait
from api.listing import OperationPage, list_operations
from api.schemas import (
    BatchCancelResponse,
    CancelRequest,
    OperationCancelResponse,
    OperationListResponse,
    OperationResponse,
)
from errors import MissingArtifact
from storage.artifacts import ArtifactStore
from workflows.contract import OperationType
from workflows.ids import make_step_id

router = APIRouter(prefix="/operations", tags=["operations"])

REPORT = "report.html"

_ARTIFACT_IS_DATA = {
    # A report shows text that came from outside. It needs no script and no other origin.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_operations(
    services: ServicesDep, page: Annotated[OperationPage, Query()]
) -> OperationListResponse:
    """List operations, newest first."""
    return await list_operations(services.client, page)


@router.delete("", status_code=HTTPStatus.ACCEPTED)
async def cancel_operations(
    services: ServicesDep, selection: Annotated[BatchSelection, Query()]
) -> BatchCancelResponse:
    """Cancel all running operations that the filter names; `dry_run` only lists them."""
    return await cancel_many(services.client, selection)


@router.get("/{operation_id}")
async def get_operation(services: ServicesDep, operation_id: str) -> OperationResponse:
    """Return one operation with its progress."""
    return OperationResponse(data=await services.resolver.operation(operation_id))


@router.delete("/{operation_id}")
async def cancel_operation(
    services: ServicesDep,
    operation_id: str,
    body: Annotated[CancelRequest, Body(default_factory=CancelRequest)],
    wait: Wait = 2.0,
) -> OperationCancelResponse:
    """Cancel an operation of any type; a step takes its research with it."""
    return await services.canceller.cancel_operation(
        operation_id, reason=body.reason, force=body.force, wait_seconds=wait
    )


@router.get("/{operation_id}/report", response_class=HTMLResponse)
def get_report(services: ServicesDep, operation_id: str) -> HTMLResponse:
    """Return the report of a research as one self-contained page."""
    store = ArtifactStore(services.settings.artifacts)
    report = store.operation(make_step_id(operation_id, OperationType.ASSESSMENT)).read(REPORT)
    if report is None:
        raise MissingArtifact(f"There is no report of {operation_id[:100]!r} (yet).")
    return HTMLResponse(report, headers=_ARTIFACT_IS_DATA)
