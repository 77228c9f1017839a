"""`/health`: whether this process answers, and whether the system behind it does."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version

from fastapi import Response

from api.paths import ResourceRouter
from api.schemas import Health, Readiness
from api.services import Services, ServicesDep
from errors import LedgerUnavailable, TemporalUnavailable

router = ResourceRouter(prefix="/health", tags=["health"])


@router.get("")
async def health() -> Health:
    """Answer if this process is alive."""
    return Health(version=version("ktrdr"))


@router.get(
    "/ready",
    responses={
        HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness, "description": "Something is missing"}
    },
)
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Check Temporal, the ledger and the workers of every task queue; 503 if one is missing."""
    workers, ledger = await asyncio.gather(_count_workers(services), _check_ledger(services))
    readiness = Readiness(
        ready=workers is not None and all(workers.values()) and ledger,
        temporal=workers is not None,
        ledger=ledger,
        workers=workers or {},
    )
    if not readiness.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return readiness


async def _count_workers(services: Services) -> dict[str, int] | None:
    """Return how many workers serve each task queue, or None if Temporal does not answer."""
    try:
        return await services.workers.count()
    except TemporalUnavailable:
        return None


async def _check_ledger(services: Services) -> bool:
    try:
        await services.ledger.ask_briefly(services.ledger.ping)
    except LedgerUnavailable:
        return False
    return True
