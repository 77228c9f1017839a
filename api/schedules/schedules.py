"""Recurring researches, stored in Temporal's schedules and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import CountSchedulesRequest, PatchScheduleRequest
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

from api.cursors import make_cursor, read_cursor
from api.idempotency import IdempotencyKey
from api.memo import read_memo, read_texts
from api.operations.start import make_research_start
from api.operations.starter import Starter
from api.schedules.ids import get_owner, qualify
from api.schedules.schemas import (
    UTC,
    ScheduledRun,
    ScheduleInfo,
    ScheduleListResponse,
    SchedulePage,
    ScheduleRequest,
    ScheduleSummary,
)
from api.temporal_calls import RPC_TIMEOUT, call_temporal, send_request
from errors import InvalidInput, ScheduleExists, ScheduleNotFound
from quant.wording import say_missing
from workflows.contract import WORKFLOW_NAME
from workflows.messages import ResearchInput

_Result = TypeVar("_Result")

_MOST_NEXT_RUNS = 5
# In the memo of a schedule. Temporal converts a cron expression into calendars and cannot convert
# it back.
_REQUEST = "request"
_WARNINGS = "warnings"

_LISTED = "schedules"


class Schedules:
    """The schedules of a namespace.

    Every method raises TemporalUnavailable if Temporal does not answer, and those that name a
    schedule raise ScheduleNotFound if there is none.
    """

    def __init__(self, client: Client, starter: Starter) -> None:
        self._client = client
        self._starter = starter

    async def create(self, request: ScheduleRequest, research: ResearchInput) -> ScheduleInfo:
        """Create a schedule.

        Args:
            request: Which research starts when.
            research: The input of each research.

        Raises:
            ScheduleExists: The id is taken.
            InvalidInput: Temporal does not understand the cron expression, or the time zone has no
                effect.
        """
        if request.interval_seconds is not None and request.time_zone != UTC:
            raise InvalidInput(
                "time_zone has no effect: only `cron` has a time zone.", field="time_zone"
            )
        request = request.model_copy(update={"research": research.request})
        call = self._client.create_schedule(
            request.schedule_id,
            Schedule(
                action=_make_action(request.schedule_id, research),
                spec=_make_spec(request),
                policy=SchedulePolicy(overlap=ScheduleOverlapPolicy[request.overlap.name]),
                state=ScheduleState(note=request.note or None, paused=request.paused),
            ),
            memo={_REQUEST: request, _WARNINGS: research.warnings},
            rpc_timeout=RPC_TIMEOUT,
        )
        try:
            await call_temporal(call)
        except ScheduleAlreadyRunningError:
            raise ScheduleExists(f"A schedule {request.schedule_id} already exists.") from None
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise InvalidInput(f"cron: {error.message}", field="cron") from None
            raise
        return await self.read(request.schedule_id)

    async def read(self, schedule_id: str) -> ScheduleInfo:
        """Return one schedule."""
        description = await self._call(
            schedule_id, lambda schedule: schedule.describe(rpc_timeout=RPC_TIMEOUT)
        )
        request = await _read_request(description)
        if request is None:
            raise _make_not_found(schedule_id)
        info = description.info
        return ScheduleInfo(
            **_make_current(request, description.schedule.state),
            next_runs=list(info.next_action_times)[:_MOST_NEXT_RUNS],
            understood=request.research.understood,
            warnings=await read_texts(description, _WARNINGS),
            created_at=info.created_at,
            recent_runs=[
                ScheduledRun(
                    operation_id=_get_operation_id(run.action),
                    scheduled_at=run.scheduled_at,
                    started_at=run.started_at,
                )
                for run in info.recent_actions
            ],
            running=[_get_operation_id(action) for action in info.running_actions],
            runs=info.num_actions,
            skipped=info.num_actions_skipped_overlap,
        )

    async def read_page(self, page: SchedulePage, owner: str | None) -> ScheduleListResponse:
        """Return some schedules of researches, sorted by id.

        Args:
            page: How many, and from where on.
            owner: In whose namespace they are. None for all.

        Raises:
            InvalidInput: The cursor is not one that this API returned.
        """
        entries = await self._client.list_schedules(
            _make_query(owner),
            page_size=page.limit,
            next_page_token=read_cursor(_LISTED, page.cursor) if page.cursor else None,
            rpc_timeout=RPC_TIMEOUT,
        )
        await call_temporal(entries.fetch_next_page())
        summaries = []
        for entry in entries.current_page or ():
            # Each takes a moment, and other requests wait for the event loop.
            await asyncio.sleep(0)
            # Temporal's filter may disregard case.
            if owner in (None, get_owner(entry.id)) and (summary := await _make_summary(entry)):
                summaries.append(summary)
        token = entries.next_page_token
        return ScheduleListResponse(
            data=sorted(summaries, key=lambda schedule: schedule.schedule_id),
            total_count=await self._count(owner) if token or page.cursor else len(summaries),
            next_cursor=make_cursor(_LISTED, token) if token else None,
        )

    async def _count(self, owner: str | None) -> int:
        request = CountSchedulesRequest(
            namespace=self._client.namespace, query=_make_query(owner) or ""
        )
        return (await send_request(self._client.workflow_service.count_schedules, request)).count

    async def pause(self, schedule_id: str) -> ScheduleInfo:
        """Pause a schedule."""
        return await self._change(
            schedule_id,
            lambda schedule: schedule.pause(note="paused by ktrdr", rpc_timeout=RPC_TIMEOUT),
        )

    async def unpause(self, schedule_id: str) -> ScheduleInfo:
        """Unpause a schedule."""
        return await self._change(
            schedule_id,
            lambda schedule: schedule.unpause(note="unpaused by ktrdr", rpc_timeout=RPC_TIMEOUT),
        )

    async def trigger(self, schedule_id: str, key: IdempotencyKey | None = None) -> ScheduleInfo:
        """Start a research now, if the overlap policy allows it.

        Raises:
            KeyReused: The key was used with a different request.
        """
        if key is None:
            return await self._change(
                schedule_id, lambda schedule: schedule.trigger(rpc_timeout=RPC_TIMEOUT)
            )
        await self.read(schedule_id)
        await self._starter.claim(key, schedule_id)
        await self._call(schedule_id, lambda _: self._trigger_once(schedule_id, key.claim_id))
        return await self.read(schedule_id)

    async def _trigger_once(self, schedule_id: str, request_id: str) -> None:
        """Trigger with this request id, by which Temporal recognises repeats.

        The SDK draws a new request id for each call.
        """
        trigger = SchedulePatch(trigger_immediately=TriggerImmediatelyRequest())
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            patch=trigger,
            identity=self._client.identity,
            request_id=request_id,
        )
        await send_request(self._client.workflow_service.patch_schedule, request)

    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule. Its running researches continue."""
        await self.read(schedule_id)
        await self._call(schedule_id, lambda schedule: schedule.delete(rpc_timeout=RPC_TIMEOUT))

    async def _change(
        self, schedule_id: str, change: Callable[[ScheduleHandle], Awaitable[None]]
    ) -> ScheduleInfo:
        await self.read(schedule_id)
        await self._call(schedule_id, change)
        return await self.read(schedule_id)

    async def _call(
        self, schedule_id: str, call: Callable[[ScheduleHandle], Awaitable[_Result]]
    ) -> _Result:
        try:
            return await call_temporal(call(self._client.get_schedule_handle(schedule_id)))
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise _make_not_found(schedule_id) from None
            raise


def _make_query(owner: str | None) -> str | None:
    """Return the query for the schedules in this namespace, or None for all."""
    return None if owner is None else f"ScheduleId STARTS_WITH '{qualify('', owner)}'"


async def _make_summary(entry: ScheduleListDescription) -> ScheduleSummary | None:
    """Return a row of a list, or None for a schedule that is not one of ours."""
    request = await _read_request(entry)
    if request is None or entry.schedule is None or entry.info is None:
        return None
    return ScheduleSummary(
        **_make_current(request, entry.schedule.state),
        next_runs=list(entry.info.next_action_times)[:_MOST_NEXT_RUNS],
    )


def _make_action(schedule_id: str, research: ResearchInput) -> ScheduleActionStartWorkflow:
    """Return the start of a research as the API starts one. Temporal appends the time to its id."""
    start = make_research_start(research)
    return ScheduleActionStartWorkflow(
        WORKFLOW_NAME[start.operation_type],
        start.argument,
        id=f"op_{start.operation_type}_{schedule_id}",
        task_queue=start.task_queue,
        priority=start.priority,
        static_summary=start.summary,
        static_details=start.details,
        memo=start.memo,
        typed_search_attributes=TypedSearchAttributes(start.attributes),
    )


def _make_spec(request: ScheduleRequest) -> ScheduleSpec:
    spec = ScheduleSpec(time_zone_name=request.time_zone)
    if request.cron is not None:
        spec.cron_expressions = [request.cron]
    if request.interval_seconds is not None:
        every = timedelta(seconds=request.interval_seconds)
        spec.intervals = [ScheduleIntervalSpec(every=every)]
    return spec


async def _read_request(
    entry: ScheduleDescription | ScheduleListDescription,
) -> ScheduleRequest | None:
    """Return the original request, or None if the schedule is not one of ours."""
    return await read_memo(entry, _REQUEST, ScheduleRequest)


def _make_current(
    request: ScheduleRequest, state: ScheduleState | ScheduleListState
) -> dict[str, Any]:
    """Return the request with the present values of what can change."""
    return request.model_dump() | {"paused": state.paused, "note": state.note or ""}


def _get_operation_id(action: ScheduleActionExecution) -> str:
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # noqa: S101 - the only kind
    return action.workflow_id


def _make_not_found(schedule_id: str) -> ScheduleNotFound:
    return ScheduleNotFound(say_missing("schedule", schedule_id))
