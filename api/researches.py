"""Starting a research."""

from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes

from api.resolver import RPC_TIMEOUT, answered
from workflows import search_attributes
from workflows.contract import WORKFLOW_NAME, OperationType, Phase
from workflows.ids import make_operation_id
from workflows.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE


async def start_research(client: Client, request: ResearchRequest) -> str:
    """Start a research and return its operation id.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    operation_id = make_operation_id(OperationType.RESEARCH, datetime.now(UTC))
    await answered(
        client.start_workflow(
            WORKFLOW_NAME[OperationType.RESEARCH],
            request,
            id=operation_id,
            task_queue=RESEARCH_QUEUE,
            priority=Priority(priority_key=request.priority),
            static_summary=request.headline,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(search_attributes.OPERATION_TYPE, OperationType.RESEARCH),
                    SearchAttributePair(search_attributes.RESEARCH_PHASE, Phase.QUEUED),
                    SearchAttributePair(search_attributes.SYMBOL, request.symbol),
                    SearchAttributePair(search_attributes.OWNER, request.owner),
                ]
            ),
            rpc_timeout=RPC_TIMEOUT,
        )
    )
    return operation_id
