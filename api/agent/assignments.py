"""Which worker computes which operation, by the pending activities of the workflows."""

import asyncio
from collections.abc import Iterator
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription
from temporalio.service import RPCError

from api.operations.state.description import TYPE_OF_WORKFLOW
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from workflows.interface import search_attributes
from workflows.interface.contract import ACTIVITY_STEPS, PHASE_OF_STEP, WORKFLOW_NAME, OperationType
from workflows.interface.ids import SliceId, get_step_name, make_step_id

# Each costs a call. With more, some workers show no operation.
_MOST_WORKFLOWS: Final = 200
_MOST_CALLS: Final = 16

_PHASES: Final = ", ".join(f"'{PHASE_OF_STEP[step]}'" for step in ACTIVITY_STEPS)
_COMPUTING: Final = (
    "ExecutionStatus = 'Running' AND ("
    f"WorkflowType = '{WORKFLOW_NAME[OperationType.TRAINING]}' "
    f"OR WorkflowType = '{WORKFLOW_NAME[OperationType.BACKTEST]}' "
    f"OR (WorkflowType = '{WORKFLOW_NAME[OperationType.RESEARCH]}' "
    f"AND {search_attributes.RESEARCH_PHASE.name} IN ({_PHASES})))"
)

_STEP_OF_ACTIVITY: Final = {get_step_name(step): step for step in ACTIVITY_STEPS}


async def find_assignments(client: Client) -> dict[tuple[str, OperationType], str]:
    """Return one operation that each worker computes, by its identity and the type of the step.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    pages = client.list_workflows(_COMPUTING, page_size=_MOST_WORKFLOWS, rpc_timeout=RPC_TIMEOUT)
    await call_temporal(pages.fetch_next_page())
    calls = asyncio.Semaphore(_MOST_CALLS)

    async def describe(execution: WorkflowExecution) -> WorkflowExecutionDescription | None:
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        async with calls:
            try:
                return await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
            except RPCError:
                return None  # It was removed meanwhile.

    described = await asyncio.gather(*map(describe, pages.current_page or ()))
    return {
        (identity, step): operation_id
        for description in described
        if description is not None
        for identity, step, operation_id in _list_running_steps(description)
    }


def _list_running_steps(
    description: WorkflowExecutionDescription,
) -> Iterator[tuple[str, OperationType, str]]:
    """List the steps of a workflow that a worker computes, with the worker's identity."""
    own = TYPE_OF_WORKFLOW.get(description.workflow_type)
    for activity in description.raw_description.pending_activities:
        if own is None or activity.state != PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
            continue
        if own is not OperationType.RESEARCH:
            yield activity.last_worker_identity, own, description.id
        elif step := _find_step(activity.activity_id):
            yield activity.last_worker_identity, step, make_step_id(description.id, step)


def _find_step(activity_id: str) -> OperationType | None:
    """Return the step that an activity of a research belongs to."""
    if SliceId.parse(activity_id):
        return OperationType.DESIGN
    return _STEP_OF_ACTIVITY.get(activity_id)
