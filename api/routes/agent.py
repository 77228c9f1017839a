"""`/agent`: start a research, show the overview, cancel exactly one research."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from api.agent.budget import read_budget, with_model
from api.agent.overview import agent_status
from api.agent.schemas import AgentStatus, Budget, Triggered
from api.auth.access import AccessDep, KeyDep
from api.dependencies import LocateDep, ServicesDep, Wait
from api.errors import refusals
from api.operations.schemas import CancelAccepted
from api.operations.start import check_research, research_start
from workflows.messages import ResearchRequest

router = APIRouter(
    prefix="/agent",
    tags=["agent"],
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.post("/trigger", status_code=HTTPStatus.ACCEPTED)
async def trigger(
    services: ServicesDep,
    access: AccessDep,
    body: Annotated[ResearchRequest, Body(default_factory=ResearchRequest)],
    key: KeyDep,
    locate: LocateDep,
) -> Triggered:
    """Start a research."""
    body = access.owned(body)
    await check_research(body, services.settings)
    request = await with_model(body, services.settings, services.ledger)
    operation_id = await services.starter.start_new(research_start(request), key)
    locate(operation_id)
    access.log("research started", operation_id)
    return Triggered(operation_id=operation_id, model=request.model or request.designer)


@router.get("/status")
async def get_status(services: ServicesDep, access: AccessDep) -> AgentStatus:
    """Show active researches, workers, capacity and budget."""
    return await agent_status(
        services.client, services.settings, services.ledger, owner=access.only
    )


@router.get("/budget")
async def get_budget(services: ServicesDep, access: AccessDep) -> Budget:
    """Show today's spending on language models, and the remaining budget."""
    budget = await read_budget(services.ledger, services.settings.daily_budget)
    # All owners share the budget, but not the list of calls.
    return budget if access.only is None else budget.model_copy(update={"spend_events": []})


@router.delete("/cancel/{operation_id:path}")
async def cancel(
    services: ServicesDep, access: AccessDep, operation_id: str, wait: Wait = 2.0
) -> CancelAccepted:
    """Cancel exactly this research. A cancel that was answered with 200 is never lost."""
    cancelled = await services.canceller.cancel_research(
        operation_id, reason=access.signed(None), wait_seconds=wait
    )
    access.log("cancelled", operation_id)
    return cancelled
