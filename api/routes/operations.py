"""`/operations`: everything that has an operation id."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.dependencies import ServicesDep
from api.listing import list_operations
from api.schemas import OperationListResponse, OperationResponse
from errors import MissingArtifact
from storage.artifacts import ArtifactStore
from workflows.contract import OperationStatus, OperationType
from workflows.ids import make_step_id
from workflows.messages import Owner

router = APIRouter(prefix="/operations", tags=["operations"])

REPORT = "report.html"

_ARTIFACT_IS_DATA = {
    # A report shows text that came from outside. It needs no script and no other origin.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_operations(
    services: ServicesDep,
    status: OperationStatus | None = None,
    operation_type: OperationType | None = None,
    owner: Owner | None = None,
    active_only: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    cursor: Annotated[str | None, Query(max_length=4000)] = None,
) -> OperationListResponse:
    """List operations, newest first."""
    return await list_operations(
        services.client,
        status=status,
        operation_type=operation_type,
        owner=owner,
        active_only=active_only,
        limit=limit,
        offset=offset,
        cursor=cursor,
    )


@router.get("/{operation_id}")
async def get_operation(services: ServicesDep, operation_id: str) -> OperationResponse:
    """Return one operation with its progress."""
    return OperationResponse(data=await services.resolver.operation(operation_id))


@router.get("/{operation_id}/report", response_class=HTMLResponse)
def get_report(services: ServicesDep, operation_id: str) -> HTMLResponse:
    """Return the report of a research as one self-contained page."""
    store = ArtifactStore(services.settings.artifacts)
    report = store.operation(make_step_id(operation_id, OperationType.ASSESSMENT)).read(REPORT)
    if report is None:
        raise MissingArtifact(f"There is no report of {operation_id[:100]!r} (yet).")
    return HTMLResponse(report, headers=_ARTIFACT_IS_DATA)
