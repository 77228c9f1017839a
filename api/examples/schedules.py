"""Example answers about schedules."""

from datetime import timedelta

from pydantic import BaseModel

from api.examples.research import BEGAN_AT, RESEARCH_ID
from api.schedules.schemas import (
    ScheduledRun,
    ScheduleInfo,
    ScheduleListResponse,
    ScheduleRequest,
    ScheduleResponse,
    ScheduleSummary,
)
from workflows.interface.messages import ResearchRequest

_SCHEDULE = ScheduleRequest(
    schedule_id="nightly",
    cron="30 6 * * 1-5",
    time_zone="Europe/Berlin",
    research=ResearchRequest(symbol="NASDAQ", trials=100),
)
_SCHEDULE_SUMMARY = ScheduleSummary(
    **_SCHEDULE.model_dump(), next_runs=[BEGAN_AT + timedelta(days=1)]
)

EXAMPLES: tuple[BaseModel, ...] = (
    ScheduleListResponse(data=[_SCHEDULE_SUMMARY], total_count=1),
    ScheduleResponse(
        data=ScheduleInfo(
            **_SCHEDULE_SUMMARY.model_dump(),
            understood=_SCHEDULE.research.understood,
            warnings=[],
            created_at=BEGAN_AT,
            recent_runs=[
                ScheduledRun(operation_id=RESEARCH_ID, scheduled_at=BEGAN_AT, started_at=BEGAN_AT)
            ],
            running=[],
            runs=1,
            skipped=0,
        )
    ),
)
