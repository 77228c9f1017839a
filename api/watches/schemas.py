"""Bodies of requests and answers about watches.

The command imports this module. So it must not import Temporal or FastAPI.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Data, Page
from quant.messages.base import FrozenModel
from quant.messages.data import Symbol, Timeframe
from quant.messages.watch import MOST_POINTS, WatchPoint, WatchSummary
from workflows.interface.contract import OperationStatus
from workflows.interface.owned import Owner

ResearchId = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Operation ID of the research that found it"),
]


class WatchRequest(FrozenModel):
    """Whose strategy to watch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"research_id": "op_agent_research_20261124_091509_5bdbbf47"}]
        }
    )

    research_id: ResearchId


class NewBars(FrozenModel):
    """Bars that have come."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"symbol": "NASDAQ", "timeframe": "1d"}]}
    )

    symbol: Symbol
    timeframe: Timeframe


class Watch(WatchSummary):
    """A watch, and where its strategy stands."""

    research_id: ResearchId
    status: OperationStatus = Field(
        description="`running`; or `completed` when the strategy was withdrawn, `cancelled`, "
        "`failed`"
    )
    cancel_requested: bool = False
    owner: str | None = None
    symbol: str = Field(description="Of several instruments, the name that was made for them")
    symbols: tuple[str, ...] = Field((), description="Empty for one instrument")
    timeframe: str
    strategy_name: str
    began_at: datetime | None = Field(None, description="Null before its first look has ended")
    looked_at: datetime | None = Field(None, description="When it last looked for new bars")
    ended_at: datetime | None = None
    problem: str | None = Field(
        None, description="Why its last look failed; it looks again at the usual time"
    )


class WatchResponse(Data[Watch]):
    """One watch."""


class WatchPage(BaseModel):
    """Which watches."""

    model_config = ConfigDict(extra="forbid")

    owner: Owner | None = None
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10_000_000)


class WatchListResponse(Page[Watch]):
    """Some watches, the newest first: those that run, and those that Temporal still keeps."""


class WatchCurvePage(BaseModel):
    """How much of a curve."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(
        MOST_POINTS,
        ge=2,
        le=MOST_POINTS,
        description="If there are more points, so many are taken at even distances, the first and "
        "the newest included",
    )


class WatchCurve(BaseModel):
    """The bars that a watch has scored."""

    research_id: ResearchId
    points: list[WatchPoint] = Field(
        description=f"The latest {MOST_POINTS:,} bars at most, oldest first"
    )


class WatchCurveResponse(Data[WatchCurve]):
    """The curve of one watch."""
