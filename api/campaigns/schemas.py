"""Bodies of answers about campaigns.

The command imports this module. So it must not import Temporal or FastAPI.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.envelope import Data
from quant.messages.campaign import MOST_MEMBERS, CampaignRecord, CampaignReport, CampaignRow
from workflows.interface.contract import OperationInfo


class CampaignStarted(BaseModel):
    """A campaign has been accepted."""

    success: Literal[True] = True
    operation_id: str
    name: str
    members: int = Field(description="Researches in all generations, as far as the budget goes")
    trials: int = Field(description="Candidates that all of them would score")
    warnings: list[str] = Field(description="What of the request has no effect")
    message: str = "Campaign started"


class CampaignInfo(OperationInfo):
    """A campaign as an operation, with its own figures. Its children are the running members."""

    campaign: CampaignRecord | None = Field(
        None, description="Null while no worker can tell, unless the campaign has ended"
    )
    running: list[CampaignRow] = Field(
        default_factory=list,
        description="What each running member looks for, as far as the request says so: later "
        "generations are proposed",
    )


class CampaignResponse(Data[CampaignInfo]):
    """One campaign."""


class CampaignReportPage(BaseModel):
    """Which members of a report, in its order."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(MOST_MEMBERS, ge=1, le=MOST_MEMBERS)
    offset: int = Field(0, ge=0, le=MOST_MEMBERS)


class CampaignReportResponse(Data[CampaignReport]):
    """Members of a campaign."""
