"""Recurring researches. They are stored in Temporal's schedules, and nowhere else."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecution,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListDescription,
    ScheduleListState,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from api.operations.start import IdempotencyKey, Starter, research_start
from api.schedules.schemas import ScheduledRun, ScheduleInfo, ScheduleRequest, ScheduleSummary
from api.temporal_calls import RPC_TIMEOUT, answered, sent
from errors import InvalidInput, ScheduleExists, ScheduleNotFound
from workflows.contract import WORKFLOW_NAME

_Result = TypeVar("_Result")

_NEXT_SHOWN = 5
# In the memo of a schedule: the request, because Temporal converts a cron expression into
# calendars and cannot convert it back.
_REQUEST = "request"


class Schedules:
    """The schedules of a namespace.

    Every method raises TemporalUnavailable if Temporal does not answer, and those that name a
    schedule raise ScheduleNotFound if there is none.
    """

    def __init__(self, client: Client, starter: Starter) -> None:
        self._client = client
        self._starter = starter

    async def create(self, request: ScheduleRequest) -> ScheduleInfo:
        """Create a schedule.

        Raises:
            ScheduleExists: the id is taken.
            InvalidInput: Temporal does not understand the cron expression.
        """
        creating = self._client.create_schedule(
            request.schedule_id,
            Schedule(
                action=_action(request),
                spec=_spec(request),
                policy=SchedulePolicy(overlap=ScheduleOverlapPolicy[request.overlap.name]),
                state=ScheduleState(note=request.note or None, paused=request.paused),
            ),
            memo={_REQUEST: request},
            rpc_timeout=RPC_TIMEOUT,
        )
        try:
            await answered(creating)
        except ScheduleAlreadyRunningError:
            raise ScheduleExists(f"A schedule {request.schedule_id} already exists.") from None
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise InvalidInput(f"cron: {error.message}", field="cron") from None
            raise
        return await self.read(request.schedule_id)

    async def read(self, schedule_id: str) -> ScheduleInfo:
        """Return one schedule."""
        description = await self._asked(
            schedule_id, lambda schedule: schedule.describe(rpc_timeout=RPC_TIMEOUT)
        )
        request = await _request(description)
        if request is None:
            raise _not_found(schedule_id)
        info = description.info
        return ScheduleInfo(
            **_now(request, description.schedule.state),
            next_runs=list(info.next_action_times)[:_NEXT_SHOWN],
            created_at=info.created_at,
            recent_runs=[
                ScheduledRun(
                    operation_id=_operation_id(run.action),
                    scheduled_at=run.scheduled_at,
                    started_at=run.started_at,
                )
                for run in info.recent_actions
            ],
            running=[_operation_id(action) for action in info.running_actions],
            runs=info.num_actions,
            skipped=info.num_actions_skipped_overlap,
        )

    async def all(self) -> list[ScheduleSummary]:
        """Return the schedules of researches, sorted by id."""
        found = []
        for entry in await answered(self._entries()):
            request = await _request(entry)
            if request is not None and entry.schedule is not None and entry.info is not None:
                next_runs = list(entry.info.next_action_times)[:_NEXT_SHOWN]
                now = _now(request, entry.schedule.state)
                found.append(ScheduleSummary(**now, next_runs=next_runs))
        return sorted(found, key=lambda schedule: schedule.schedule_id)

    async def pause(self, schedule_id: str) -> ScheduleInfo:
        """Pause a schedule."""
        return await self._changed(
            schedule_id,
            lambda schedule: schedule.pause(note="paused by ktrdr", rpc_timeout=RPC_TIMEOUT),
        )

    async def unpause(self, schedule_id: str) -> ScheduleInfo:
        """Unpause a schedule."""
        return await self._changed(
            schedule_id,
            lambda schedule: schedule.unpause(note="unpaused by ktrdr", rpc_timeout=RPC_TIMEOUT),
        )

    async def trigger(self, schedule_id: str, key: IdempotencyKey | None = None) -> ScheduleInfo:
        """Start a research now, if the overlap policy allows it.

        Raises:
            KeyReused: the key was used with a different request.
        """
        if key is None:
            return await self._changed(
                schedule_id, lambda schedule: schedule.trigger(rpc_timeout=RPC_TIMEOUT)
            )
        await self.read(schedule_id)
        await self._starter.claim(key, schedule_id)
        await self._asked(schedule_id, lambda _: self._trigger_once(schedule_id, key.claim_id))
        return await self.read(schedule_id)

    async def _trigger_once(self, schedule_id: str, request_id: str) -> None:
        """Trigger under this request id, so that Temporal recognises repeats; the SDK draws one."""
        trigger = SchedulePatch(trigger_immediately=TriggerImmediatelyRequest())
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            patch=trigger,
            identity=self._client.identity,
            request_id=request_id,
        )
        await sent(self._client.workflow_service.patch_schedule, request)

    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule; running researches continue."""
        await self.read(schedule_id)
        await self._asked(schedule_id, lambda schedule: schedule.delete(rpc_timeout=RPC_TIMEOUT))

    async def _changed(
        self, schedule_id: str, change: Callable[[ScheduleHandle], Awaitable[None]]
    ) -> ScheduleInfo:
        await self.read(schedule_id)
        await self._asked(schedule_id, change)
        return await self.read(schedule_id)

    async def _asked(
        self, schedule_id: str, call: Callable[[ScheduleHandle], Awaitable[_Result]]
    ) -> _Result:
        try:
            return await answered(call(self._client.get_schedule_handle(schedule_id)))
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise _not_found(schedule_id) from None
            raise

    async def _entries(self) -> list[ScheduleListDescription]:
        return [entry async for entry in await self._client.list_schedules()]


def _action(request: ScheduleRequest) -> ScheduleActionStartWorkflow:
    """Return the same start as the API's, under an id to which Temporal appends the time."""
    start = research_start(request.research)
    return ScheduleActionStartWorkflow(
        WORKFLOW_NAME[start.operation_type],
        start.argument,
        id=f"op_{start.operation_type}_{request.schedule_id}",
        task_queue=start.task_queue,
        priority=start.priority,
        static_summary=start.summary,
        typed_search_attributes=TypedSearchAttributes(start.attributes),
    )


def _spec(request: ScheduleRequest) -> ScheduleSpec:
    spec = ScheduleSpec(time_zone_name=request.time_zone)
    if request.cron is not None:
        spec.cron_expressions = [request.cron]
    if request.interval_seconds is not None:
        every = timedelta(seconds=request.interval_seconds)
        spec.intervals = [ScheduleIntervalSpec(every=every)]
    return spec


async def _request(entry: ScheduleDescription | ScheduleListDescription) -> ScheduleRequest | None:
    """Return the original request, or None if the schedule is not one of ours."""
    content = await entry.memo_value(_REQUEST, default=None, type_hint=ScheduleRequest)
    return content if isinstance(content, ScheduleRequest) else None


def _now(request: ScheduleRequest, state: ScheduleState | ScheduleListState) -> dict[str, Any]:
    """Return the request with what may have changed since."""
    return request.model_dump() | {"paused": state.paused, "note": state.note or ""}


def _operation_id(action: ScheduleActionExecution) -> str:
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # noqa: S101 - the only kind
    return action.workflow_id


def _not_found(schedule_id: str) -> ScheduleNotFound:
    return ScheduleNotFound(f"There is no schedule {schedule_id[:100]!r}.")
