"""A schedule in Temporal's words and in ours."""

from datetime import timedelta
from typing import Any

from temporalio.client import (
    Schedule,
    ScheduleActionExecution,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleListDescription,
    ScheduleListState,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import TypedSearchAttributes

from api.memo import read_memo, read_texts
from api.operations.start import make_research_start
from api.schedules.schemas import ScheduledRun, ScheduleInfo, ScheduleRequest, ScheduleSummary
from workflows.interface.contract import WORKFLOW_NAME
from workflows.interface.messages import ResearchInput

_MOST_NEXT_RUNS = 5
# In the memo of a schedule. Temporal converts a cron expression into calendars and cannot convert
# it back.
_REQUEST = "request"
_WARNINGS = "warnings"


def make_schedule(request: ScheduleRequest, research: ResearchInput) -> Schedule:
    """Return the schedule that starts this research when the request says."""
    return Schedule(
        action=_make_action(request.schedule_id, research),
        spec=_make_spec(request),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy[request.overlap.name]),
        state=ScheduleState(note=request.note or None, paused=request.paused),
    )


def make_memo(request: ScheduleRequest, research: ResearchInput) -> dict[str, Any]:
    """Return what is stored beside the schedule."""
    return {_REQUEST: request, _WARNINGS: research.warnings}


async def read_info(description: ScheduleDescription) -> ScheduleInfo | None:
    """Return a schedule in full, or None for one that is not ours."""
    request = await read_memo(description, _REQUEST, ScheduleRequest)
    if request is None:
        return None
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


async def read_summary(entry: ScheduleListDescription) -> ScheduleSummary | None:
    """Return a row of a list, or None for a schedule that is not ours."""
    request = await read_memo(entry, _REQUEST, ScheduleRequest)
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


def _make_current(
    request: ScheduleRequest, state: ScheduleState | ScheduleListState
) -> dict[str, Any]:
    """Return the request with the present values of what can change."""
    return request.model_dump() | {"paused": state.paused, "note": state.note or ""}


def _get_operation_id(action: ScheduleActionExecution) -> str:
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # noqa: S101 - the only kind
    return action.workflow_id
