"""Bodies of requests and answers about schedules.

The command imports this module. So it must not import Temporal or FastAPI.
"""

import functools
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from api.envelope import Data, Page
from api.schedules.ids import ScheduleId
from quant.messages.base import FrozenModel
from quant.messages.understood import Understood
from workflows.interface.messages import ResearchRequest

UTC: Final = "UTC"
# Listing them reads hundreds of files.
_list_time_zones = functools.cache(available_timezones)


class Overlap(StrEnum):
    """What happens when a research is due while the previous one is still active."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"
    TERMINATE_OTHER = "terminate_other"
    ALLOW_ALL = "allow_all"


class Schedule(FrozenModel):
    """Which research starts when."""

    schedule_id: ScheduleId
    cron: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Cron expression of five fields, such as `0 6 * * 1-5`",
    )
    interval_seconds: int | None = Field(None, strict=True, ge=1, le=366 * 86_400)
    time_zone: str = Field(UTC, description="IANA time zone of `cron`")
    overlap: Overlap = Overlap.SKIP
    paused: Annotated[bool, Field(strict=True)] = False
    note: str = Field("", max_length=500)
    research: ResearchRequest = ResearchRequest()


class ScheduleRequest(Schedule):
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

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        if name not in _list_time_zones():
            raise ValueError("not the name of a time zone, such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _check_cron_or_interval(self) -> Self:
        if (self.cron is None) == (self.interval_seconds is None):
            raise ValueError("give either `cron` or `interval_seconds`")
        return self


class ScheduledRun(BaseModel):
    """A research that a schedule has started."""

    operation_id: str
    scheduled_at: datetime
    started_at: datetime


class ScheduleSummary(Schedule):
    """A schedule as lists show it."""

    next_runs: list[datetime] = Field(description="The next few start times")


class ScheduleInfo(ScheduleSummary):
    """A schedule and its runs."""

    understood: Understood = Field(description="What its researches are about")
    warnings: list[str] = Field(description="What of the request has no effect")
    created_at: datetime
    recent_runs: list[ScheduledRun] = Field(description="The last few runs, newest last")
    running: list[str] = Field(description="Operation IDs of active runs")
    runs: int
    skipped: int = Field(description="Runs skipped because the previous one was still active")


class ScheduleResponse(Data[ScheduleInfo]):
    """One schedule."""


class SchedulePage(BaseModel):
    """Which schedules of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(1000, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=4000)


class ScheduleListResponse(Page[ScheduleSummary]):
    """Some schedules; `next_cursor` fetches the next."""

    next_cursor: str | None = None
