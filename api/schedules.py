"""Researches that start by themselves. Temporal's schedules are the only place they are in."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
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

from api import starting
from api.calls import RPC_TIMEOUT, answered
from errors import InvalidInput, ScheduleExists, ScheduleNotFound
from quant.spec import Model
from workflows.contract import WORKFLOW_NAME
from workflows.messages import ResearchRequest

_Result = TypeVar("_Result")

_NEXT_SHOWN = 5
# In the memo of a schedule: what was asked for, because Temporal turns a cron expression into
# calendars and does not turn it back.
_REQUEST = "request"

ScheduleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Overlap(StrEnum):
    """What happens when the next research is due while the last one runs."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"
    TERMINATE_OTHER = "terminate_other"
    ALLOW_ALL = "allow_all"


class ScheduleRequest(Model):
    """Which research to start when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "schedule_id": "nightly",
                    "cron": "30 6 * * 1-5",
                    "time_zone": "Europe/Berlin",
                    "research": {"symbol": "NASDAQ", "trials": 100},
                }
            ]
        }
    )

    schedule_id: ScheduleId
    cron: str | None = Field(
        None, min_length=1, max_length=200, description="Five fields, such as `0 6 * * 1-5`"
    )
    interval_seconds: int | None = Field(None, strict=True, ge=1, le=366 * 86_400)
    time_zone: str = Field("UTC", description="IANA name; of the cron expression")
    overlap: Overlap = Overlap.SKIP
    paused: Annotated[bool, Field(strict=True)] = False
    note: str = Field("", max_length=500)
    research: ResearchRequest = ResearchRequest()

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("this is not the name of a time zone, such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _cron_or_interval(self) -> Self:
        if (self.cron is None) == (self.interval_seconds is None):
            raise ValueError("give either `cron` or `interval_seconds`")
        return self


class ScheduledRun(BaseModel):
    """A research that a schedule has started."""

    operation_id: str
    scheduled_at: datetime
    started_at: datetime


class ScheduleSummary(ScheduleRequest):
    """A schedule as lists show it."""

    next_runs: list[datetime] = Field(description="The first few")


class ScheduleInfo(ScheduleSummary):
    """A schedule, and what came of it."""

    created_at: datetime
    recent_runs: list[ScheduledRun] = Field(description="The last few, the newest last")
    running: list[str] = Field(description="Operation ids")
    runs: int
    skipped: int = Field(description="Because the one before still ran")


class Schedules:
    """The schedules of a namespace.

    Every method raises TemporalUnavailable if Temporal does not answer, and those that name a
    schedule raise ScheduleNotFound if there is none.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

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
            raise ScheduleExists(f"There is a schedule {request.schedule_id} already.") from None
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
        """Return the schedules of researches, by their ids."""
        found = []
        for entry in await answered(self._entries()):
            request = await _request(entry)
            if request is not None and entry.schedule is not None and entry.info is not None:
                next_runs = list(entry.info.next_action_times)[:_NEXT_SHOWN]
                now = _now(request, entry.schedule.state)
                found.append(ScheduleSummary(**now, next_runs=next_runs))
        return sorted(found, key=lambda schedule: schedule.schedule_id)

    async def pause(self, schedule_id: str) -> ScheduleInfo:
        """Start nothing until further notice."""
        return await self._changed(
            schedule_id, lambda schedule: schedule.pause(rpc_timeout=RPC_TIMEOUT)
        )

    async def unpause(self, schedule_id: str) -> ScheduleInfo:
        """Start researches again when they are due."""
        return await self._changed(
            schedule_id, lambda schedule: schedule.unpause(rpc_timeout=RPC_TIMEOUT)
        )

    async def trigger(self, schedule_id: str) -> ScheduleInfo:
        """Start a research now, as far as the overlap policy allows it."""
        return await self._changed(
            schedule_id, lambda schedule: schedule.trigger(rpc_timeout=RPC_TIMEOUT)
        )

    async def delete(self, schedule_id: str) -> None:
        """Forget a schedule; what it has started goes on."""
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
    """Return what the API itself would start, under an id to which Temporal adds the time."""
    start = starting.research(request.research)
    return ScheduleActionStartWorkflow(
        WORKFLOW_NAME[start.operation_type],
        start.argument,
        id=f"op_{start.operation_type}_{request.schedule_id}",
        task_queue=start.task_queue,
        priority=start.turn,
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
    """Return what was asked for, or None if the schedule is not one of ours."""
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
