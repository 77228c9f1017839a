"""`/watches`: strategies that are held against the bars that come after their research."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import WaitSeconds
from api.errors import document_errors
from api.paths import ResourceRouter, locate
from api.services import ServicesDep
from api.watches.schemas import (
    NewBars,
    WatchCurvePage,
    WatchCurveResponse,
    WatchListResponse,
    WatchPage,
    WatchRequest,
    WatchResponse,
)

router = ResourceRouter(
    prefix="/watches",
    tags=["watches"],
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
)


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def start_watch(
    services: ServicesDep,
    access: AccessDep,
    response: Response,
    body: WatchRequest,
) -> WatchResponse:
    """Watch the strategy of a research: hold it against every bar that comes from now on.

    What is watched already is answered as it is.
    """
    await access.require_experiment(body.research_id)
    watch = await services.watches.start(body.research_id)
    locate(response, body.research_id, "watches")
    record_action(access.caller, "watch started", body.research_id)
    return WatchResponse(data=watch)


@router.get("")
async def get_watches(
    services: ServicesDep, access: AccessDep, page: Annotated[WatchPage, Query()]
) -> WatchListResponse:
    """List the watches, the newest first."""
    return await services.watches.read_page(page, access.restrict_owner(page.owner))


@router.post("/look", status_code=HTTPStatus.ACCEPTED)
async def look_at_new_bars(
    services: ServicesDep, access: AccessDep, body: NewBars
) -> WatchListResponse:
    """Say that bars have come: every running watch of them looks at once. Return these watches.

    A larger `total_count` says that not all could be told. Those look at their usual time.
    """
    looking = await services.watches.look_at(body, access.restrict_owner(None))
    record_action(access.caller, "watches told to look", f"{body.symbol} {body.timeframe}")
    return looking


@router.get("/{research_id}")
async def get_watch(services: ServicesDep, research_id: str) -> WatchResponse:
    """Return one watch: where its strategy stands."""
    return WatchResponse(data=await services.watches.read(research_id))


@router.get("/{research_id}/curve")
async def get_watch_curve(
    services: ServicesDep, research_id: str, page: Annotated[WatchCurvePage, Query()]
) -> WatchCurveResponse:
    """Return the bars that a watch has scored, with the evidence after each."""
    return WatchCurveResponse(data=await services.watches.read_curve(research_id, page.limit))


@router.post("/{research_id}/look", status_code=HTTPStatus.ACCEPTED)
async def look_for_bars(
    services: ServicesDep, access: AccessDep, research_id: str
) -> WatchResponse:
    """Let a watch look for new bars at once, such as after an import."""
    watch = await services.watches.look(research_id)
    record_action(access.caller, "watch told to look", research_id)
    return WatchResponse(data=watch)


@router.delete("/{research_id}")
async def cancel_watch(
    services: ServicesDep, access: AccessDep, research_id: str, wait: WaitSeconds = 2.0
) -> WatchResponse:
    """Cancel a watch. What it has seen is kept, and a watch that is started again goes on there."""
    watch = await services.watches.cancel(research_id, wait)
    record_action(access.caller, "watch cancelled", research_id)
    return WatchResponse(data=watch)
