"""The workers, as Temporal lists them. Each worker process reports its state to the server."""

import asyncio
from collections.abc import Iterable, Mapping
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

from api.agent.assignments import find_assignments
from api.agent.schemas import Slots, WorkerInfo, WorkerState, WorkerType
from api.temporal_calls import send_request
from workflows.interface.contract import OperationType
from workflows.policies import (
    BACKTEST_QUEUE,
    COMPUTE_QUEUE,
    RESEARCH_QUEUE,
    TRAINING_QUEUE,
    WORKER_HEARTBEAT_INTERVAL,
    WORKFLOW_QUEUES,
)

_PAGE_SIZE: Final = 1000

# What the workers of a task queue do, in the words of the operation types.
QUEUE_NAME: Final = {
    RESEARCH_QUEUE: WorkerType.RESEARCH,
    TRAINING_QUEUE: WorkerType.TRAINING,
    BACKTEST_QUEUE: WorkerType.BACKTESTING,
}
_STEPS_OF_QUEUE: Final = {
    RESEARCH_QUEUE: (OperationType.DESIGN, OperationType.ASSESSMENT),
    TRAINING_QUEUE: (OperationType.TRAINING,),
    BACKTEST_QUEUE: (OperationType.BACKTEST,),
}

# Temporal keeps listing a dead worker for minutes.
_GONE_AFTER: Final = 4 * WORKER_HEARTBEAT_INTERVAL
# A worker that sends no heartbeats is known by its polls. One poll waits up to a minute.
_POLL_WITHIN: Final = timedelta(seconds=70)


class WorkerList:
    """Reads the workers and the load of their task queues from Temporal.

    Every method raises TemporalUnavailable if Temporal does not answer.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self) -> list[WorkerInfo]:
        """Return the workers of all task queues that serve activities, with what they compute."""
        heartbeats = await self._list_serving()
        slots = _find_slots(heartbeats)
        computes = any(each.busy for each in slots.values())
        assigned = await find_assignments(self._client) if computes else {}
        return sorted(
            (
                _make_info(each, slots[each.worker_identity], assigned)
                for each in heartbeats
                if each.task_queue in WORKFLOW_QUEUES and each.worker_identity in slots
            ),
            key=lambda worker: (worker.worker_type, worker.worker_id),
        )

    async def count(self) -> dict[str, int]:
        """Return how many workers take new operations, by task queue.

        A worker counts from its first poll on. If several versions run, only the workers of the
        current version count. The polls for workflows are counted, because a worker whose slots
        are all taken does not poll for activities.
        """
        workflows = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
        heartbeats, queues = await asyncio.gather(
            self._list_heartbeats(),
            asyncio.gather(*(self._describe_queue(queue, workflows) for queue in WORKFLOW_QUEUES)),
        )
        latest = {(each.worker_identity, each.task_queue): each for each in heartbeats}
        return {
            queue: sum(
                _takes_new_work(poller, description.versioning_info)
                and _is_alive(poller, latest.get((poller.identity, queue)))
                for poller in description.pollers
            )
            for queue, description in zip(WORKFLOW_QUEUES, queues, strict=True)
        }

    async def read_slots(self) -> dict[str, Slots]:
        """Return the slots of the workers, by task queue.

        A worker that serves several queues has the same slots for all of them.
        """
        workers = await self._list_serving()
        slots = _find_slots(workers)
        serving = {
            queue: {each.worker_identity for each in workers if each.task_queue == queue}
            for queue in WORKFLOW_QUEUES
        }
        return {
            queue: Slots(
                busy=sum(slots[each].busy for each in identities if each in slots),
                total=sum(slots[each].total for each in identities if each in slots),
            )
            for queue, identities in serving.items()
        }

    async def count_slots(self) -> int:
        """Return how many steps may compute at once."""
        return sum(each.total for each in _find_slots(await self._list_serving()).values())

    async def _list_serving(self) -> list[WorkerHeartbeat]:
        """Return the last heartbeats of the workers that serve activities now."""
        return [each for each in await self._list_heartbeats() if _is_serving(each)]

    async def _list_heartbeats(self) -> list[WorkerHeartbeat]:
        """Return the last heartbeat of every worker, the latest last."""
        request = ListWorkersRequest(namespace=self._client.namespace, page_size=_PAGE_SIZE)
        response = await send_request(self._client.workflow_service.list_workers, request)
        return sorted(
            (each.worker_heartbeat for each in response.workers_info),
            key=lambda heartbeat: heartbeat.heartbeat_time.ToNanoseconds(),
        )

    async def _describe_queue(
        self, queue: str, kind: TaskQueueType.ValueType
    ) -> DescribeTaskQueueResponse:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=kind,
            report_stats=True,
        )
        return await send_request(self._client.workflow_service.describe_task_queue, request)


def _is_serving(heartbeat: WorkerHeartbeat) -> bool:
    return (
        heartbeat.task_queue in (*WORKFLOW_QUEUES, COMPUTE_QUEUE)
        and _is_running(heartbeat)
        and _is_within(_GONE_AFTER, heartbeat.heartbeat_time)
    )


def _is_running(heartbeat: WorkerHeartbeat) -> bool:
    return heartbeat.status == WorkerStatus.WORKER_STATUS_RUNNING


def _takes_new_work(poller: PollerInfo, routing: TaskQueueVersioningInfo) -> bool:
    """Whether the worker is of the current version, or of none if there is no current version."""
    options = poller.deployment_options
    versioned = (
        options.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    )
    current = routing.current_deployment_version
    if not current.build_id:
        return not versioned
    return versioned and (options.deployment_name, options.build_id) == (
        current.deployment_name,
        current.build_id,
    )


def _is_alive(poller: PollerInfo, heartbeat: WorkerHeartbeat | None) -> bool:
    polled_at = poller.last_access_time
    if heartbeat is None:
        return _is_within(_POLL_WITHIN, polled_at)
    if _is_running(heartbeat) and _is_within(_GONE_AFTER, heartbeat.heartbeat_time):
        return True
    # A new process with the same identity may have polled already and sent no heartbeat yet.
    new = polled_at.ToNanoseconds() > heartbeat.heartbeat_time.ToNanoseconds()
    return new and _is_within(_GONE_AFTER, polled_at)


def _is_within(period: timedelta, moment: Timestamp) -> bool:
    return datetime.now(UTC) - moment.ToDatetime(UTC) < period


def _find_slots(heartbeats: Iterable[WorkerHeartbeat]) -> dict[str, Slots]:
    """Return the slots of each worker process, by its identity."""
    return {
        each.worker_identity: Slots(
            busy=each.activity_task_slots_info.current_used_slots,
            total=each.activity_task_slots_info.current_used_slots
            + each.activity_task_slots_info.current_available_slots,
        )
        for each in heartbeats
        if each.task_queue == COMPUTE_QUEUE
    }


def _make_info(
    heartbeat: WorkerHeartbeat,
    slots: Slots,
    assigned: Mapping[tuple[str, OperationType], str],
) -> WorkerInfo:
    steps = _STEPS_OF_QUEUE[heartbeat.task_queue]
    running = (assigned.get((heartbeat.worker_identity, step)) for step in steps)
    return WorkerInfo(
        worker_id=heartbeat.worker_instance_key,
        worker_type=QUEUE_NAME[heartbeat.task_queue],
        operation_types=list(steps),
        status=WorkerState.AVAILABLE if slots.busy < slots.total else WorkerState.BUSY,
        busy=slots.busy,
        total=slots.total,
        host=heartbeat.host_info.host_name,
        current_operation_id=next((each for each in running if each), None),
        last_health_check=heartbeat.heartbeat_time.ToDatetime(UTC),
    )
