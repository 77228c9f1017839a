"""Example answers about watches."""

from pydantic import BaseModel

from api.examples.research import ENDED_AT, RESEARCH_ID, STRATEGY
from api.watches.schemas import (
    Watch,
    WatchCurve,
    WatchCurveResponse,
    WatchListResponse,
    WatchResponse,
)
from quant.messages.watch import WatchPoint
from workflows.interface.contract import OperationStatus

_LAST = WatchPoint(
    time="2027-11-23T00:00:00Z",
    strategy=0.0041,
    market=-0.0012,
    evidence=4.7,
    counter_evidence=0.31,
)
_WATCH = Watch(
    research_id=RESEARCH_ID,
    status=OperationStatus.RUNNING,
    owner="ada",
    symbol="NASDAQ",
    timeframe="1d",
    strategy_name=STRATEGY,
    began_at=ENDED_AT,
    looked_at=ENDED_AT,
    bars=252,
    begins_after="2026-11-23T00:00:00Z",
    last_scored=_LAST.time,
    evidence=_LAST.evidence,
    counter_evidence=_LAST.counter_evidence,
)

EXAMPLES: tuple[BaseModel, ...] = (
    WatchListResponse(data=[_WATCH], total_count=1),
    WatchResponse(data=_WATCH),
    WatchCurveResponse(data=WatchCurve(research_id=RESEARCH_ID, points=[_LAST])),
)
