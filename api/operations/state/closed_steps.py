"""A training or a backtest that has ended, from its description and its events.

Unlike a research it has no phases and no children. So what its workflow knows is its input, and
when it began.
"""

from datetime import UTC, datetime
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.exceptions import FailureError

from api.operations.state.description import (
    describe_execution,
    get_closed_status,
)
from api.operations.state.ending import read_failure, read_result
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import UnreadablePayload
from quant.messages.steps import TrainingInput
from workflows.interface.contract import CHILD_STEPS, OperationInfo, OperationStatus, OperationType
from workflows.interface.failures import describe_failure
from workflows.interface.messages import BacktestRequest
from workflows.requests.steps import describe_backtest, describe_training

_INPUT_OF = {OperationType.TRAINING: TrainingInput, OperationType.BACKTEST: BacktestRequest}
_EVENTS_OF_FIRST_TASK = 5


async def read_closed_step(
    client: Client, handle: WorkflowHandle[Any, Any], description: WorkflowExecutionDescription
) -> OperationInfo | None:
    """Return a step that is a workflow as it would answer; None if its history does not say it.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    known = await describe_execution(description)
    if known.operation_type not in CHILD_STEPS:
        return None
    events = await call_temporal(_fetch_first(handle))
    began = _find_begin(events)
    given = events[0].workflow_execution_started_event_attributes.input.payloads
    kind: type[Any] = _INPUT_OF[known.operation_type]
    try:
        [request] = await client.data_converter.decode(given[:1], [kind])
    except (FailureError, UnreadablePayload, ValueError):
        return None
    if began is None:
        return None
    if isinstance(request, TrainingInput):
        metadata, goal = describe_training(request), request.spec.name
    else:
        metadata, goal = describe_backtest(request), request.input.spec.name
    update: dict[str, Any] = {"metadata": metadata, "goal": goal, "started_at": began}
    status = get_closed_status(description)
    if status is OperationStatus.COMPLETED:
        update["result_summary"] = await read_result(handle)
    elif status is OperationStatus.FAILED:
        error = await read_failure(handle)
        update["error_message"] = describe_failure(error) if error else None
    return known.model_copy(update=update)


async def _fetch_first(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    """Return the events up to the end of the first workflow task."""
    events = []
    async for event in handle.fetch_history_events(
        page_size=_EVENTS_OF_FIRST_TASK, rpc_timeout=RPC_TIMEOUT
    ):
        events.append(event)
        if event.HasField("workflow_task_completed_event_attributes"):
            break
    return events


def _find_begin(events: list[HistoryEvent]) -> datetime | None:
    """Return when the first workflow task began that has ended."""
    if not events[-1].HasField("workflow_task_completed_event_attributes"):
        return None
    number = events[-1].workflow_task_completed_event_attributes.started_event_id
    began = next((each for each in events if each.event_id == number), None)
    if began is None:
        return None
    # Rounded as the workflow does it.
    return datetime.fromtimestamp(began.event_time.ToNanoseconds() / 1e9, UTC)
