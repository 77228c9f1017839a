"""`/agent`: start a research, cancel exactly one."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.dependencies import ServicesDep, Wait
from api.researches import start_research
from api.schemas import CancelAccepted, Triggered
from quant import catalog, strategies
from workflows.messages import ResearchRequest

router = APIRouter(prefix="/agent", tags=["agent"])


@router.post("/trigger", status_code=HTTPStatus.ACCEPTED)
async def trigger(
    services: ServicesDep,
    request: Request,
    response: Response,
    body: Annotated[ResearchRequest, Body(default_factory=ResearchRequest)],
) -> Triggered:
    """Start a research."""
    settings = services.settings
    await asyncio.to_thread(catalog.resolve, body.data, settings.data_dir)
    if body.strategy is not None:
        await asyncio.to_thread(strategies.load, body.strategy, settings.strategies)
    operation_id = await start_research(services.client, body)
    response.headers["Location"] = request.url_for("get_operation", operation_id=operation_id).path
    return Triggered(operation_id=operation_id, model=body.model or body.designer)


@router.delete("/cancel/{operation_id:path}")
async def cancel(services: ServicesDep, operation_id: str, wait: Wait = 2.0) -> CancelAccepted:
    """Cancel this research, and nothing else. Once answered with 200, it is never lost."""
    return await services.canceller.cancel_research(operation_id, wait_seconds=wait)
