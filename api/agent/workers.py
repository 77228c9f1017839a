"""The workers as Temporal lists them: each worker process reports its state to the server."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue, TaskQueueVersioningInfo
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ListWorkersRequest,
)
from temporalio.client import Client

from api.agent.schemas import QueueLoad, WorkerInfo, WorkerState
from api.temporal_calls import sent
from workflows.policies import COMPUTE_QUEUES, WORKER_HEARTBEAT_INTERVAL

_PAGE: Final = 1000

# A worker that has died still stands in both of Temporal's lists for minutes.
_GONE_AFTER: Final = 4 * WORKER_HEARTBEAT_INTERVAL
# One that reports nothing is known by its polls, of which each waits up to a minute.
_POLLS_WITHIN: Final = timedelta(seconds=70)


async def list_workers(client: Client) -> list[WorkerInfo]:
    """Return the workers of all task queues that serve activities.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    return sorted(
        (_worker(each) for each in await _heartbeats(client) if _serves(each)),
        key=lambda worker: (worker.worker_type, worker.worker_id),
    )


async def count_workers(client: Client) -> dict[str, int]:
    """Return how many workers take new operations from each task queue, from their first poll on.

    Where versions run side by side, those are the workers of the current version. All are counted
    where they poll for workflows: for activities none polls whose slots are taken.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    workflows = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    heartbeats, described = await asyncio.gather(
        _heartbeats(client),
        asyncio.gather(*(_describe(client, queue, workflows) for queue in COMPUTE_QUEUES)),
    )
    last = {(each.worker_identity, each.task_queue): each for each in heartbeats}
    return {
        queue: sum(
            _takes_new_work(each, answer.versioning_info)
            and _is_there(each, last.get((each.identity, queue)))
            for each in answer.pollers
        )
        for queue, answer in zip(COMPUTE_QUEUES, described, strict=True)
    }


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


async def _heartbeats(client: Client) -> list[WorkerHeartbeat]:
    """Return the last heartbeat of every worker, the latest last."""
    request = ListWorkersRequest(namespace=client.namespace, page_size=_PAGE)
    answer = await sent(client.workflow_service.list_workers, request)
    return sorted(
        (each.worker_heartbeat for each in answer.workers_info),
        key=lambda heartbeat: heartbeat.heartbeat_time.ToNanoseconds(),
    )


def _serves(heartbeat: WorkerHeartbeat) -> bool:
    return (
        heartbeat.task_queue in COMPUTE_QUEUES
        and _runs(heartbeat)
        and _is_within(_GONE_AFTER, heartbeat.heartbeat_time)
    )


def _runs(heartbeat: WorkerHeartbeat) -> bool:
    return heartbeat.status == WorkerStatus.WORKER_STATUS_RUNNING


def _takes_new_work(poller: PollerInfo, routing: TaskQueueVersioningInfo) -> bool:
    """Whether new operations come to this worker: it is of the current version, if there is one."""
    of = poller.deployment_options
    versioned = of.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    current = routing.current_deployment_version
    if not current.build_id:
        return not versioned
    return versioned and (of.deployment_name, of.build_id) == (
        current.deployment_name,
        current.build_id,
    )


def _is_there(poller: PollerInfo, heartbeat: WorkerHeartbeat | None) -> bool:
    polled = poller.last_access_time
    if heartbeat is None:
        return _is_within(_POLLS_WITHIN, polled)
    if _runs(heartbeat) and _is_within(_GONE_AFTER, heartbeat.heartbeat_time):
        return True
    # It is gone, unless a new process with its identity has not reported yet.
    new = polled.ToNanoseconds() > heartbeat.heartbeat_time.ToNanoseconds()
    return new and _is_within(_GONE_AFTER, polled)


def _is_within(period: timedelta, moment: Timestamp) -> bool:
    return datetime.now(UTC) - moment.ToDatetime(UTC) < period


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
