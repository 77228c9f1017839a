"""The results of the activities of a closed research, from its history. No worker is needed."""

from collections.abc import Sequence
from typing import Any, Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import FailureError

from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import UnreadablePayload
from quant.messages.search import BegunSearch, ProposedRound
from quant.messages.steps import AssessmentResult, DesignResult
from workflows.interface.contract import OperationType
from workflows.interface.messages import ResearchInput

StepResult = DesignResult | AssessmentResult

# A design ends with the first of its activities that returns a result.
_ACTIVITIES: Final[dict[OperationType, tuple[Sequence[str], Any]]] = {
    OperationType.DESIGN: (
        ("design", "conclude_search"),
        DesignResult | BegunSearch | ProposedRound,
    ),
    OperationType.ASSESSMENT: (("assessment",), AssessmentResult),
}


async def read_step_result(
    client: Client, handle: WorkflowHandle[Any, Any], step: OperationType
) -> StepResult | None:
    """Return what an activity of a research has returned, in its run or in one that it resumes.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    names, kind = _ACTIVITIES[step]
    names_of: dict[int, str] = {}
    events = await call_temporal(_fetch(handle))
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            names_of[event.event_id] = scheduled.activity_type.name
        elif event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            if names_of.get(completed.scheduled_event_id) in names:
                result = await _decode(client, completed.result.payloads, kind)
                if isinstance(result, StepResult):
                    return result
    given = events[0].workflow_execution_started_event_attributes.input.payloads
    research = await _decode(client, given, ResearchInput)
    earlier = research.finished if isinstance(research, ResearchInput) else None
    if earlier is None:
        return None
    return earlier.design if step is OperationType.DESIGN else earlier.assessment


async def _fetch(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    return [event async for event in handle.fetch_history_events(rpc_timeout=RPC_TIMEOUT)]


async def _decode(client: Client, payloads: Sequence[Any], kind: Any) -> object:
    """Return the first value, or None if it is nothing that our workers leave."""
    try:
        [value] = await client.data_converter.decode(payloads[:1], [kind])
    except (FailureError, UnreadablePayload, ValueError):
        return None
    return value
