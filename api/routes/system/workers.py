"""`/workers`: the worker processes."""

from typing import Annotated

from fastapi import Query

from api.agent.schemas import WorkerInfo, WorkerState, WorkerType
from api.paths import ResourceRouter
from api.services import ServicesDep
from workflows.interface.contract import OperationType

router = ResourceRouter(prefix="/workers", tags=["workers"])


@router.get("")
async def get_workers(
    services: ServicesDep,
    worker_type: Annotated[
        WorkerType | OperationType | None, Query(description="Only workers that do this")
    ] = None,
    status: WorkerState | None = None,
) -> list[WorkerInfo]:
    """List the workers that Temporal knows of."""
    return [
        worker
        for worker in await services.workers.read()
        if (worker_type is None or worker_type in {worker.worker_type, *worker.operation_types})
        and status in (None, worker.status)
    ]
