"""`/agent`: start a research, show the overview, cancel exactly one research."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Response

from api.agent.schemas import AgentStatus, Budget, Preview, Triggered
from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep, WaitSeconds
from api.errors import document_errors
from api.operations.schemas import CancelAccepted
from api.paths import ResourceRouter, locate
from api.services import ServicesDep
from workflows.interface.messages import ResearchRequest

router = ResourceRouter(
    prefix="/agent",
    tags=["agent"],
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.post("/trigger", status_code=HTTPStatus.ACCEPTED)
async def trigger(
    services: ServicesDep,
    access: AccessDep,
    body: Annotated[ResearchRequest, Body(default_factory=ResearchRequest)],
    key: IdempotencyKeyDep,
    response: Response,
) -> Triggered:
    """Start a research."""
    triggered = await services.researches.start_research(access.assign_owner(body), key)
    locate(response, triggered.operation_id)
    record_action(access.caller, "research started", triggered.operation_id)
    return triggered


@router.post("/preview")
async def preview(
    services: ServicesDep,
    body: Annotated[ResearchRequest, Body(default_factory=ResearchRequest)],
) -> Preview:
    """Say what a request would be understood to be about, and what it would cost; start nothing."""
    return await services.researches.preview(body)


@router.get("/status")
async def get_status(services: ServicesDep, access: AccessDep) -> AgentStatus:
    """Show active researches, workers, capacity and budget."""
    return await services.overview.read(access.only_owner)


@router.get("/budget")
async def get_budget(services: ServicesDep, access: AccessDep) -> Budget:
    """Show today's spending on language models, and the remaining budget."""
    budget = await services.budget.read()
    # All owners share the budget, but not the list of calls.
    return budget if access.only_owner is None else budget.model_copy(update={"spend_events": []})


@router.delete("/cancel/{operation_id:rest}")
async def cancel(
    services: ServicesDep, access: AccessDep, operation_id: str, wait: WaitSeconds = 2.0
) -> CancelAccepted:
    """Cancel exactly this research. A cancel that was answered with 200 is never lost."""
    cancelled = await services.canceller.cancel_research(
        operation_id, reason=access.caller.sign_reason(None), wait_seconds=wait
    )
    record_action(access.caller, "cancelled", operation_id)
    return cancelled
