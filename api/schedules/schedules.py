"""Recurring researches, stored in Temporal's schedules and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import CountSchedulesRequest, PatchScheduleRequest
from temporalio.client import Client, ScheduleAlreadyRunningError, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode

from api.cursors import make_cursor, read_cursor
from api.idempotency import IdempotencyKey
from api.operations.starter import Starter
from api.schedules.conversion import make_memo, make_schedule, read_info, read_summary
from api.schedules.ids import get_owner, qualify
from api.schedules.schemas import (
    UTC,
    ScheduleInfo,
    ScheduleListResponse,
    SchedulePage,
    ScheduleRequest,
)
from api.temporal_calls import RPC_TIMEOUT, call_temporal, send_request
from errors import InvalidInput, ScheduleExists, ScheduleNotFound
from quant.wording import say_missing
from workflows.interface.messages import ResearchInput

_Result = TypeVar("_Result")

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
            make_schedule(request, research),
            memo=make_memo(request, research),
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
        info = await read_info(description)
        if info is None:
            raise _make_not_found(schedule_id)
        return info

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
            if owner in (None, get_owner(entry.id)) and (summary := await read_summary(entry)):
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


def _make_not_found(schedule_id: str) -> ScheduleNotFound:
    return ScheduleNotFound(say_missing("schedule", schedule_id))
