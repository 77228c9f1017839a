"""Which operations to list, as a query of Temporal's visibility store."""

from pydantic import BaseModel, ConfigDict, Field

from api.operations.schemas import OperationSummary
from api.operations.state.description import TYPE_OF_WORKFLOW
from errors import InvalidInput
from quant.messages.data import BarsName
from workflows.interface import search_attributes
from workflows.interface.contract import (
    ACTIVE,
    ACTIVITY_STEPS,
    WORKFLOW_NAME,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.owned import Owner

LARGEST_PAGE = 1000
"""The largest page that Temporal returns."""

RUNNING = "ExecutionStatus = 'Running'"

# An operation is queued until a worker begins it. Until then, a research that was started by hand
# has no phase. A training or backtest has none from then on.
_QUEUED = (
    f"({search_attributes.RESEARCH_PHASE.name} = '{Phase.QUEUED}' OR "
    f"({search_attributes.RESEARCH_PHASE.name} IS NULL AND "
    f"WorkflowType = '{WORKFLOW_NAME[OperationType.RESEARCH]}'))"
)
_BEGUN = (
    f"({search_attributes.RESEARCH_PHASE.name} != '{Phase.QUEUED}' OR "
    f"({search_attributes.RESEARCH_PHASE.name} IS NULL AND "
    f"WorkflowType != '{WORKFLOW_NAME[OperationType.RESEARCH]}'))"
)

TOP_LEVEL = (
    f"({search_attributes.PARENT_OPERATION_ID.name} IS NULL OR "
    f"WorkflowType = '{WORKFLOW_NAME[OperationType.RESEARCH]}')"
)
"""No step of a research. A member of a campaign is a research like any other."""

# A step is resumed with its research, and a campaign is not resumed: its members are.
_RESUMABLE = (
    f"ExecutionStatus IN ('Failed', 'TimedOut', 'Canceled', 'Terminated') AND {TOP_LEVEL} "
    f"AND WorkflowType != '{WORKFLOW_NAME[OperationType.CAMPAIGN]}'"
)

_RESUMABLE_STATUS = (OperationStatus.FAILED, OperationStatus.CANCELLED)

_WHERE_STATUS = {
    OperationStatus.PENDING: f"{RUNNING} AND {_QUEUED}",
    OperationStatus.RUNNING: f"{RUNNING} AND {_BEGUN}",
    OperationStatus.COMPLETED: "ExecutionStatus = 'Completed'",
    OperationStatus.FAILED: "ExecutionStatus IN ('Failed', 'TimedOut')",
    OperationStatus.CANCELLED: "ExecutionStatus IN ('Canceled', 'Terminated')",
}


class OperationFilter(BaseModel):
    """Which operations. The values enter a query, so they may contain no quotes."""

    model_config = ConfigDict(extra="forbid")

    status: OperationStatus | None = None
    operation_type: OperationType | None = None
    owner: Owner | None = None
    symbol: BarsName | None = None
    active_only: bool = False

    def matches(self, row: OperationSummary) -> bool:
        """Return whether an operation is one of them."""
        return (
            self.status in (None, row.status)
            and self.operation_type in (None, row.operation_type)
            and self.owner in (None, row.owner)
            and self.symbol in (None, row.symbol, *row.symbols)
            and (row.status in ACTIVE or not self.active_only)
        )

    def make_query(self) -> str:
        """Return the visibility query."""
        names = ", ".join(
            f"'{name}'"
            for name, each in TYPE_OF_WORKFLOW.items()
            if self.operation_type in (None, each)
        )
        # Designs and assessments are activities; no list of workflows shows them.
        terms = [f"WorkflowType IN ({names})" if names else "WorkflowType = ''"]
        if self.status is not None:
            terms.append(_WHERE_STATUS[self.status])
        if self.owner is not None:
            terms.append(f"{search_attributes.OWNER.name} = '{self.owner}'")
        if self.symbol is not None:
            terms.append(search_attributes.is_about(self.symbol))
        if self.active_only:
            terms.append(RUNNING)
        return " AND ".join(f"({term})" for term in terms)

    def require_agreement(self) -> None:
        """Check that an operation can match all filters.

        Raises:
            InvalidInput: Two filters contradict each other. The message names both.
        """
        if self.active_only and self.status not in (None, *ACTIVE):
            raise _contradict("`active_only`", f"`status` {self.status}", "status")

    def require_no_step(self) -> None:
        """Check that the filter does not ask for steps of researches.

        Raises:
            InvalidInput: It does, where such steps are folded into their research.
        """
        if self.operation_type in ACTIVITY_STEPS:
            raise InvalidInput(
                f"`operation_type` {self.operation_type} is a step, which is shown with its "
                "research: ask for agent_research.",
                field="operation_type",
            )


class OperationPage(OperationFilter):
    """Which page of which operations."""

    resumable: bool = Field(False, description="Only operations that can be resumed")
    top_level: bool = Field(False, description="Leave out the steps of researches")
    limit: int = Field(10, ge=1, le=LARGEST_PAGE)
    offset: int = Field(0, ge=0, le=10_000)
    cursor: str | None = Field(None, max_length=4000)

    def require_agreement(self) -> None:
        """Check that an operation can match all filters.

        Raises:
            InvalidInput: Two filters contradict each other. The message names both.
        """
        super().require_agreement()
        if self.top_level:
            self.require_no_step()
        if not self.resumable:
            return
        if self.active_only:
            raise _contradict("`resumable`", "`active_only`", "active_only")
        if self.status not in (None, *_RESUMABLE_STATUS):
            raise _contradict("`resumable`", f"`status` {self.status}", "status")
        if self.operation_type in ACTIVITY_STEPS:
            raise InvalidInput(
                f"`resumable` contradicts `operation_type` {self.operation_type}: a step is "
                "resumed with its research, agent_research.",
                field="operation_type",
            )

    def make_query(self) -> str:
        """Return the visibility query."""
        query = super().make_query()
        if self.top_level:
            query = f"{query} AND {TOP_LEVEL}"
        return f"{query} AND {_RESUMABLE}" if self.resumable else query


class CampaignPage(BaseModel):
    """Which page of which campaigns."""

    model_config = ConfigDict(extra="forbid")

    status: OperationStatus | None = None
    owner: Owner | None = None
    active_only: bool = False
    limit: int = Field(10, ge=1, le=LARGEST_PAGE)
    offset: int = Field(0, ge=0, le=10_000)
    cursor: str | None = Field(None, max_length=4000)

    def make_operation_page(self) -> OperationPage:
        """Return the same as a page of operations."""
        return OperationPage(**self.model_dump(), operation_type=OperationType.CAMPAIGN)


def _contradict(one: str, other: str, field: str) -> InvalidInput:
    return InvalidInput(f"{one} contradicts {other}: no operation is both.", field=field)
