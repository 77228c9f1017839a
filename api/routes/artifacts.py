"""`/operations/{id}/artifacts`, `/artifacts`: what operations have stored, and deleting it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from api.artifacts.schemas import (
    DeletedArtifactsResponse,
    OldArtifacts,
    OldArtifactsDeletedResponse,
    StoredArtifactsResponse,
)
from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.errors import document_errors
from api.paths import ResourceRouter
from api.services import ServicesDep

router = ResourceRouter(tags=["artifacts"])


@router.get(
    "/operations/{operation_id:id}/artifacts", responses=document_errors(HTTPStatus.NOT_FOUND)
)
async def get_artifacts(services: ServicesDep, operation_id: str) -> StoredArtifactsResponse:
    """List what an operation and its steps have stored."""
    return StoredArtifactsResponse(data=await services.artifact_deleter.read(operation_id))


@router.delete(
    "/operations/{operation_id:id}/artifacts",
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete_artifacts(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    resumable: Annotated[
        bool, Query(description="Also if the operation could be resumed from them")
    ] = False,
) -> DeletedArtifactsResponse:
    """Delete what an operation and its steps have stored. The record of the operation is kept."""
    deleted = await services.artifact_deleter.delete(operation_id, resumable=resumable)
    record_action(access.caller, "artifacts deleted", operation_id, size_bytes=deleted.size_bytes)
    return DeletedArtifactsResponse(data=deleted)


@router.delete("/artifacts")
async def delete_old_artifacts(
    services: ServicesDep, access: AccessDep, selection: Annotated[OldArtifacts, Query()]
) -> OldArtifactsDeletedResponse:
    """Delete what operations stored long ago, the oldest first; `dry_run` only lists it."""
    chosen = selection.model_copy(update={"owner": access.restrict_owner(selection.owner)})
    deleted = await services.aging_artifacts.delete(chosen)
    if not deleted.dry_run:
        for operation_id in deleted.operation_ids:
            record_action(access.caller, "artifacts deleted", operation_id)
    return OldArtifactsDeletedResponse(data=deleted)
