"""`/`: the page for people, and pointers for programs."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from api.page.assets import list_modules, load_assets
from api.page.documents import CONTENT_SECURITY_POLICY, FRAME_SECURITY_POLICY, render
from api.paths import API_PREFIX
from api.services import ServicesDep


class _PageRouter(APIRouter):
    """The routes of the page. The prefix is that of the API."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a route has the path, and what it takes from there."""
        return (Match.NONE, {}) if scope.get("root_path") else super().matches(scope)


router = _PageRouter(include_in_schema=False)

_HTML = "text/html"


@router.get("/")
async def get_index(request: Request, services: ServicesDep) -> Response:
    """Return what runs now for people, and pointers for programs."""
    if _HTML not in request.headers.get("accept", ""):
        return JSONResponse(_make_pointers(), headers={"Vary": "Accept"})
    return _show("now", services)


@router.get("/researches/{operation_id:id}")
async def get_research(services: ServicesDep, operation_id: str) -> Response:
    """Return the page of one operation."""
    return _show("research", services, operation_id=operation_id)


@router.get("/campaigns-and-watches")
async def get_campaigns_and_watches(services: ServicesDep) -> Response:
    """Return the page of campaigns and watches. `/campaigns` and `/watches` are for programs."""
    return _show("campaigns", services)


@router.get("/campaigns-and-watches/{operation_id:id}")
async def get_campaign(services: ServicesDep, operation_id: str) -> Response:
    """Return the page of one campaign."""
    return _show("campaign", services, operation_id=operation_id)


@router.get("/record")
async def get_record(services: ServicesDep) -> Response:
    """Return the page of the record."""
    return _show("record", services)


@router.get("/report-frame")
async def get_report_frame() -> HTMLResponse:
    """Return the empty document into which the page puts a report."""
    return HTMLResponse(
        "<!doctype html><title>Report</title>",
        headers={
            "Content-Security-Policy": FRAME_SECURITY_POLICY,
            "X-Frame-Options": "SAMEORIGIN",
        },
    )


@router.get("/static/{path:path}")
async def get_asset(
    path: str, if_none_match: Annotated[str | None, Header(max_length=1000)] = None
) -> Response:
    """Return a file of the page. A browser asks each time whether it has changed."""
    asset = load_assets().get(path)
    if asset is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {"ETag": asset.etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and asset.etag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _show(screen: str, services: ServicesDep, **values: str) -> HTMLResponse:
    document = render(
        f"{screen}.html.j2",
        screen=screen,
        version=version("ktrdr"),
        api=API_PREFIX,
        temporal_ui=services.settings.temporal_ui_url or "",
        namespace=services.client.namespace,
        modules=list_modules(screen),
        **values,
    )
    return HTMLResponse(
        document,
        headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Vary": "Accept"},
    )


def _make_pointers() -> dict[str, str]:
    return {
        "name": "ktrdr",
        "version": version("ktrdr"),
        "message": f"The API is under {API_PREFIX}.",
        "docs": f"{API_PREFIX}/docs",
        "openapi": f"{API_PREFIX}/openapi.json",
        "health": f"{API_PREFIX}/health",
        "ready": f"{API_PREFIX}/health/ready",
        "operations": f"{API_PREFIX}/operations",
        "agent_status": f"{API_PREFIX}/agent/status",
    }
