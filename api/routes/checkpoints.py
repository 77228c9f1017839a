"""`/checkpoints`: what operations can be resumed from."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.checkpoints.schemas import CheckpointDeleted, CheckpointListResponse, CheckpointResponse
from api.errors import document_errors
from api.paths import ResourceRouter
from api.services import ServicesDep

router = ResourceRouter(
    prefix="/checkpoints", tags=["checkpoints"], responses=document_errors(HTTPStatus.NOT_FOUND)
)


@router.get("")
async def get_checkpoints(
    services: ServicesDep,
    access: AccessDep,
    older_than_days: Annotated[
        int | None, Query(ge=0, le=36_500, description="Only operations that ended before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> CheckpointListResponse:
    """List the failed and cancelled operations that can be resumed, the last ended first."""
    return await services.checkpoints.list(
        older_than_days=older_than_days, limit=limit, owner=access.only_owner
    )


@router.get("/{operation_id:id}")
async def get_checkpoint(services: ServicesDep, operation_id: str) -> CheckpointResponse:
    """Return what one operation can be resumed from."""
    return CheckpointResponse(data=await services.checkpoints.read(operation_id))


@router.delete("/{operation_id:id}", responses=document_errors(HTTPStatus.CONFLICT))
async def delete_checkpoint(
    services: ServicesDep, access: AccessDep, operation_id: str
) -> CheckpointDeleted:
    """Delete the checkpoint of an operation that has ended. It can then only be retried."""
    await services.checkpoints.delete(operation_id)
    record_action(access.caller, "checkpoint deleted", operation_id)
    return CheckpointDeleted(
        message=f"The checkpoint of {operation_id} is deleted. The operation cannot be resumed; "
        "a retry starts it from its beginning."
    )
