"""Which operations to list, as a query of Temporal's visibility store."""

from pydantic import BaseModel, ConfigDict, Field

from api.operations.description import TYPE_OF_WORKFLOW
from quant.messages.data import Symbol
from workflows import search_attributes
from workflows.contract import WORKFLOW_NAME, OperationStatus, OperationType, Phase
from workflows.messages import Owner

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

# A step is resumed with its research.
_RESUMABLE = (
    "ExecutionStatus IN ('Failed', 'TimedOut', 'Canceled', 'Terminated') "
    f"AND {search_attributes.PARENT_OPERATION_ID.name} IS NULL"
)

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
    symbol: Symbol | None = None
    active_only: bool = False

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
            terms.append(f"{search_attributes.SYMBOL.name} = '{self.symbol}'")
        if self.active_only:
            terms.append(RUNNING)
        return " AND ".join(f"({term})" for term in terms)


class OperationPage(OperationFilter):
    """Which page of which operations."""

    resumable: bool = Field(False, description="Only operations that can be resumed")
    limit: int = Field(10, ge=1, le=LARGEST_PAGE)
    offset: int = Field(0, ge=0, le=10_000)
    cursor: str | None = Field(None, max_length=4000)

    def make_query(self) -> str:
        """Return the visibility query."""
        query = super().make_query()
        return f"{query} AND {_RESUMABLE}" if self.resumable else query
