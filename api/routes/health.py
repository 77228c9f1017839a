"""`/health`: whether this process answers, and whether the system behind it does."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Response
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from api.calls import RPC_TIMEOUT, answered
from api.dependencies import ServicesDep
from api.schemas import Health, Readiness
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
        pollers = await asyncio.gather(
            *(_pollers(services.client, queue) for queue in COMPUTE_QUEUES)
        )
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


async def _pollers(client: Client, queue: str) -> int:
    described = await answered(
        client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            ),
            timeout=RPC_TIMEOUT,
        )
    )
    return len(described.pollers)
