"""Example answers about campaigns."""

from datetime import timedelta

from pydantic import BaseModel

from api.campaigns.members import describe_pending
from api.campaigns.schemas import (
    CampaignInfo,
    CampaignReportResponse,
    CampaignResponse,
    CampaignStarted,
)
from api.examples.research import BEGAN_AT, STRATEGY
from quant.messages.campaign import CampaignRecord, CampaignReport, CampaignRow, CampaignState
from quant.messages.progress import Progress
from workflows.interface.contract import (
    ChildOperation,
    OperationMetadata,
    OperationStatus,
    OperationType,
)
from workflows.interface.ids import make_member_id

_ID = "op_campaign_20261124_091509_0c9f1e7a"
_NAME = "momentum-on-indices"
_RECORD = CampaignRecord(
    operation_id=_ID,
    name=_NAME,
    owner="ada",
    status=OperationStatus.RUNNING,
    request={
        "name": _NAME,
        "symbols": ["SP500", "NASDAQ"],
        "briefs": ["momentum"],
        "seeds": [1, 2],
        "research": {"trials": 30, "owner": "ada"},
    },
    members=4,
    members_per_generation=4,
    state=CampaignState(begun=2, completed=1, verdicts={"no_signal": 1}, trials=60),
    started_at=BEGAN_AT,
)

_RUNNING = describe_pending(_RECORD, [2])[2]

EXAMPLES: tuple[BaseModel, ...] = (
    CampaignStarted(operation_id=_ID, name=_NAME, members=4, trials=120, warnings=[]),
    CampaignResponse(
        data=CampaignInfo(
            operation_id=_ID,
            operation_type=OperationType.CAMPAIGN,
            status=OperationStatus.RUNNING,
            created_at=BEGAN_AT,
            started_at=BEGAN_AT,
            duration_seconds=8.0,
            progress=Progress(
                percentage=25.0,
                current_step="1 of 4 researches · 1 running",
                items_processed=1,
                items_total=4,
            ),
            metadata=OperationMetadata(parameters={"name": _NAME}),
            owner="ada",
            priority=3,
            goal=_NAME,
            children=[
                ChildOperation(
                    operation_id=_RUNNING.operation_id,
                    operation_type=OperationType.RESEARCH,
                    status=OperationStatus.RUNNING,
                    started_at=BEGAN_AT + timedelta(seconds=7),
                )
            ],
            campaign=_RECORD,
            running=[_RUNNING],
        )
    ),
    CampaignReportResponse(
        data=CampaignReport(
            campaign=_RECORD,
            rows=(
                CampaignRow(
                    number=1,
                    operation_id=make_member_id(_ID, 1),
                    generation=1,
                    status=OperationStatus.COMPLETED,
                    symbol="SP500",
                    timeframe="1d",
                    designer="search",
                    brief="momentum",
                    seed=1,
                    strategy_name=STRATEGY,
                    verdict="no_signal",
                    development_sharpe=0.41,
                    sharpe=-0.12,
                    deflated_sharpe=0.22,
                    false_discovery_rate=1.0,
                    total_return=-0.03,
                    trials_ever=30,
                    holdout_looks=1,
                ),
                _RUNNING,
            ),
            discoveries=0,
        )
    ),
)
