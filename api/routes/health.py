"""`/health`: whether this process answers, and whether the system behind it does."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Response

from api.dependencies import ServicesDep
from api.schemas import Health, Readiness
from api.workers import describe_queue
from errors import TemporalUnavailable
from workflows.policies import COMPUTE_QUEUES

router = APIRouter(prefix="/health", tags=["health"])


@router.get("")
async def health() -> Health:
    """Answer, if this process is alive."""
    return Health(version=version("ktrdr"))


@router.get(
    "/ready",
    responses={
        HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness, "description": "Something is missing"}
    },
)
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Say whether Temporal answers and every task queue has a worker; 503 if not."""
    try:
        describing = (describe_queue(services.client, queue) for queue in COMPUTE_QUEUES)
        pollers = [len(described.pollers) for described in await asyncio.gather(*describing)]
    except TemporalUnavailable:
        readiness = Readiness(ready=False, temporal=False, workers={})
    else:
        readiness = Readiness(
            ready=all(pollers),
            temporal=True,
            workers=dict(zip(COMPUTE_QUEUES, pollers, strict=True)),
        )
    if not readiness.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return readiness
