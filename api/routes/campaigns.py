"""`/campaigns`: many researches under one budget."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Query, Response
from fastapi.responses import HTMLResponse

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.campaigns.schemas import (
    CampaignReportPage,
    CampaignReportResponse,
    CampaignResponse,
    CampaignStarted,
)
from api.dependencies import IdempotencyKeyDep, WaitSeconds
from api.errors import document_errors
from api.listing.filters import CampaignPage
from api.operations.schemas import CancelRequest, OperationCancelResponse, OperationListResponse
from api.paths import ResourceRouter, locate
from api.routes.operations import REPORT_HEADERS, cancel_operation
from api.services import ServicesDep
from quant.report.campaign import render_campaign
from workflows.interface.campaigns import CampaignRequest

router = ResourceRouter(
    prefix="/campaigns",
    tags=["campaigns"],
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.post("", status_code=HTTPStatus.ACCEPTED)
async def start_campaign(
    services: ServicesDep,
    access: AccessDep,
    response: Response,
    body: CampaignRequest,
    key: IdempotencyKeyDep,
) -> CampaignStarted:
    """Start a campaign: a research for each combination of the lists."""
    body = body.model_copy(update={"research": access.assign_owner(body.research)})
    started = await services.campaigns.start(body, key)
    locate(response, started.operation_id, "campaigns")
    record_action(access.caller, "campaign started", started.operation_id)
    return started


@router.get("")
async def get_campaigns(
    services: ServicesDep, access: AccessDep, page: Annotated[CampaignPage, Query()]
) -> OperationListResponse:
    """List campaigns, newest first."""
    chosen = page.make_operation_page()
    chosen.require_agreement()
    owner = access.restrict_owner(page.owner)
    return await services.operations.read(chosen.model_copy(update={"owner": owner}))


@router.get("/{operation_id:id}")
async def get_campaign(services: ServicesDep, operation_id: str) -> CampaignResponse:
    """Return one campaign: how many members have ended and how, and which run."""
    return CampaignResponse(data=await services.campaigns.read(operation_id))


@router.get("/{operation_id:id}/report", responses=document_errors(HTTPStatus.GONE))
async def get_campaign_report(
    services: ServicesDep, operation_id: str, page: Annotated[CampaignReportPage, Query()]
) -> CampaignReportResponse:
    """Return members that have begun, judged by everything that was tried until today."""
    return CampaignReportResponse(data=await services.campaigns.report(operation_id, page))


@router.get(
    "/{operation_id:id}/report.html",
    response_class=HTMLResponse,
    responses=document_errors(HTTPStatus.GONE),
)
async def get_campaign_page(services: ServicesDep, operation_id: str) -> HTMLResponse:
    """Return all of them as a page."""
    report = await services.campaigns.report(operation_id, CampaignReportPage())
    return HTMLResponse(render_campaign(report), headers=REPORT_HEADERS)


@router.delete("/{operation_id:id}")
async def cancel_campaign(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    body: Annotated[CancelRequest, Body(default_factory=CancelRequest)],
    wait: WaitSeconds = 2.0,
) -> OperationCancelResponse:
    """Cancel a campaign: all members that run are stopped, and none begins."""
    await services.campaigns.require(operation_id)
    return await cancel_operation(services, access, operation_id, body, wait)
