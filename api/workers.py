"""The workers as Temporal lists them: each worker process reports its state to the server."""

import asyncio
from enum import StrEnum

from pydantic import BaseModel, Field
from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ListWorkersRequest,
)
from temporalio.client import Client

from api.calls import sent
from workflows.policies import COMPUTE_QUEUES

_PAGE = 1000


class WorkerState(StrEnum):
    """Whether a worker has a free slot for compute."""

    AVAILABLE = "available"
    BUSY = "busy"


class WorkerInfo(BaseModel):
    """A worker on one task queue."""

    worker_id: str
    worker_type: str = Field(description="The task queue that it serves")
    status: WorkerState = Field(description="`busy` when all slots are taken")
    busy: int = Field(description="Slots in use, as last reported")
    total: int = Field(description="All slots")
    host: str


class QueueLoad(BaseModel):
    """How much of a task queue's compute is in use."""

    busy: int
    total: int
    waiting: int = Field(description="Steps waiting for a slot, as estimated by Temporal")


async def list_workers(client: Client) -> list[WorkerInfo]:
    """Return the workers of all task queues that serve activities.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    request = ListWorkersRequest(namespace=client.namespace, page_size=_PAGE)
    answer = await sent(client.workflow_service.list_workers, request)
    heartbeats = (each.worker_heartbeat for each in answer.workers_info)
    return sorted(
        (_worker(each) for each in heartbeats if _serves(each)),
        key=lambda worker: (worker.worker_type, worker.worker_id),
    )


async def queue_loads(client: Client) -> dict[str, QueueLoad]:
    """Return how much of the compute is in use, by task queue.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    workers, waiting = await asyncio.gather(
        list_workers(client), asyncio.gather(*(_waiting(client, queue) for queue in COMPUTE_QUEUES))
    )
    return {
        queue: QueueLoad(
            busy=sum(worker.busy for worker in workers if worker.worker_type == queue),
            total=sum(worker.total for worker in workers if worker.worker_type == queue),
            waiting=backlog,
        )
        for queue, backlog in zip(COMPUTE_QUEUES, waiting, strict=True)
    }


def _serves(heartbeat: WorkerHeartbeat) -> bool:
    running = heartbeat.status == WorkerStatus.WORKER_STATUS_RUNNING
    return running and heartbeat.task_queue in COMPUTE_QUEUES


def _worker(heartbeat: WorkerHeartbeat) -> WorkerInfo:
    slots = heartbeat.activity_task_slots_info
    return WorkerInfo(
        worker_id=heartbeat.worker_instance_key,
        worker_type=heartbeat.task_queue,
        status=WorkerState.AVAILABLE if slots.current_available_slots else WorkerState.BUSY,
        busy=slots.current_used_slots,
        total=slots.current_used_slots + slots.current_available_slots,
        host=heartbeat.host_info.host_name,
    )


async def _waiting(client: Client, queue: str) -> int:
    activities = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    return (await _describe(client, queue, activities)).stats.approximate_backlog_count


async def count_workers(client: Client) -> dict[str, int]:
    """Return how many workers ask for work, by task queue; Temporal remembers them for 5 minutes.

    They are counted where they ask for workflows: for activities, none asks whose slots are taken.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    workflows = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    described = await asyncio.gather(
        *(_describe(client, queue, workflows) for queue in COMPUTE_QUEUES)
    )
    return {queue: len(each.pollers) for queue, each in zip(COMPUTE_QUEUES, described, strict=True)}


async def _describe(
    client: Client, queue: str, kind: TaskQueueType.ValueType
) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=kind,
        report_stats=True,
    )
    return await sent(client.workflow_service.describe_task_queue, request)
