"""`/schedules`: recurring researches."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep, ScheduleIdDep
from api.errors import document_errors
from api.paths import ResourceRouter, locate
from api.schedules.ids import get_owner
from api.schedules.schemas import (
    ScheduleListResponse,
    SchedulePage,
    ScheduleRequest,
    ScheduleResponse,
)
from api.services import ServicesDep
from errors import InvalidInput

router = ResourceRouter(
    prefix="/schedules",
    tags=["schedules"],
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.post("", status_code=HTTPStatus.CREATED)
async def create_schedule(
    services: ServicesDep,
    access: AccessDep,
    response: Response,
    body: ScheduleRequest,
) -> ScheduleResponse:
    """Create a schedule."""
    research = access.assign_owner(body.research)
    schedule_id = access.qualify_schedule_id(body.schedule_id, research.owner)
    if get_owner(schedule_id) not in (None, research.owner):
        raise InvalidInput(
            f"schedule_id: the research belongs to {research.owner}.", field="schedule_id"
        )
    body = body.model_copy(update={"schedule_id": schedule_id, "research": research})
    prepared = await services.researches.prepare_to_start(body.research)
    created = await services.schedules.create(body, prepared)
    locate(response, schedule_id, "schedules")
    record_action(access.caller, "schedule created", schedule_id)
    return ScheduleResponse(data=created)


@router.get("")
async def get_schedules(
    services: ServicesDep, access: AccessDep, page: Annotated[SchedulePage, Query()]
) -> ScheduleListResponse:
    """List the schedules."""
    return await services.schedules.read_page(page, access.only_owner)


@router.get("/{schedule_id}")
async def get_schedule(services: ServicesDep, schedule_id: ScheduleIdDep) -> ScheduleResponse:
    """Return one schedule with its recent and next runs."""
    return ScheduleResponse(data=await services.schedules.read(schedule_id))


@router.post("/{schedule_id}/pause")
async def pause_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep
) -> ScheduleResponse:
    """Pause a schedule."""
    paused = await services.schedules.pause(schedule_id)
    record_action(access.caller, "schedule paused", schedule_id)
    return ScheduleResponse(data=paused)


@router.post("/{schedule_id}/unpause")
async def unpause_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep
) -> ScheduleResponse:
    """Unpause a schedule."""
    unpaused = await services.schedules.unpause(schedule_id)
    record_action(access.caller, "schedule unpaused", schedule_id)
    return ScheduleResponse(data=unpaused)


@router.post("/{schedule_id}/trigger", status_code=HTTPStatus.ACCEPTED)
async def trigger_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep, key: IdempotencyKeyDep
) -> ScheduleResponse:
    """Start a research now, if the overlap policy allows it."""
    triggered = await services.schedules.trigger(schedule_id, key)
    record_action(access.caller, "schedule triggered", schedule_id)
    return ScheduleResponse(data=triggered)


@router.delete("/{schedule_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep
) -> None:
    """Delete a schedule; running researches continue."""
    await services.schedules.delete(schedule_id)
    record_action(access.caller, "schedule deleted", schedule_id)
