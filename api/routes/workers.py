"""`/workers`: the worker processes."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.agent.schemas import WorkerInfo, WorkerState
from api.services import ServicesDep

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("")
async def get_workers(
    services: ServicesDep,
    worker_type: Annotated[str | None, Query(max_length=100)] = None,
    status: WorkerState | None = None,
) -> list[WorkerInfo]:
    """List the workers that Temporal knows of."""
    return [
        worker
        for worker in await services.workers.read()
        if worker_type in (None, worker.worker_type) and status in (None, worker.status)
    ]
