"""`/schedules`: recurring researches."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from api.auth.access import AccessDep, KeyDep, ScheduleIdDep
from api.dependencies import ServicesDep
from api.errors import refusals
from api.operations.start import check_research
from api.schedules.schemas import (
    ScheduleListResponse,
    ScheduleRequest,
    ScheduleResponse,
    owner_of_schedule,
)
from errors import InvalidInput

router = APIRouter(
    prefix="/schedules",
    tags=["schedules"],
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.post("", status_code=HTTPStatus.CREATED)
async def create_schedule(
    services: ServicesDep,
    access: AccessDep,
    request: Request,
    response: Response,
    body: ScheduleRequest,
) -> ScheduleResponse:
    """Create a schedule."""
    research = access.owned(body.research)
    schedule_id = access.schedule_id(body.schedule_id, research.owner)
    if owner_of_schedule(schedule_id) not in (None, research.owner):
        raise InvalidInput(
            f"schedule_id: the research belongs to {research.owner}.", field="schedule_id"
        )
    body = body.model_copy(update={"schedule_id": schedule_id, "research": research})
    await check_research(body.research, services.settings)
    created = await services.schedules.create(body)
    url = request.url_for("get_schedule", schedule_id=schedule_id)
    response.headers["Location"] = url.path
    access.log("schedule created", schedule_id)
    return ScheduleResponse(data=created)


@router.get("")
async def get_schedules(services: ServicesDep, access: AccessDep) -> ScheduleListResponse:
    """List the schedules."""
    schedules = [
        schedule
        for schedule in await services.schedules.all()
        if access.only in (None, owner_of_schedule(schedule.schedule_id))
    ]
    return ScheduleListResponse(data=schedules, total_count=len(schedules))


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
    access.log("schedule paused", schedule_id)
    return ScheduleResponse(data=paused)


@router.post("/{schedule_id}/unpause")
async def unpause_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep
) -> ScheduleResponse:
    """Unpause a schedule."""
    unpaused = await services.schedules.unpause(schedule_id)
    access.log("schedule unpaused", schedule_id)
    return ScheduleResponse(data=unpaused)


@router.post("/{schedule_id}/trigger", status_code=HTTPStatus.ACCEPTED)
async def trigger_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep, key: KeyDep
) -> ScheduleResponse:
    """Start a research now, if the overlap policy allows it."""
    triggered = await services.schedules.trigger(schedule_id, key)
    access.log("schedule triggered", schedule_id)
    return ScheduleResponse(data=triggered)


@router.delete("/{schedule_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_schedule(
    services: ServicesDep, access: AccessDep, schedule_id: ScheduleIdDep
) -> None:
    """Delete a schedule; running researches continue."""
    await services.schedules.delete(schedule_id)
    access.log("schedule deleted", schedule_id)
