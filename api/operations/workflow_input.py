"""The input of a workflow, read from the first event of its history."""

from temporalio.client import Client
from temporalio.exceptions import FailureError

from api.operations.state.description import ResolvedWorkflow
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import InvalidInput
from quant.messages.steps import TrainingInput
from workflows.interface.contract import OperationType
from workflows.interface.messages import BacktestRequest, ResearchInput

WorkflowInput = ResearchInput | TrainingInput | BacktestRequest

_INPUT_OF: dict[OperationType, type[WorkflowInput]] = {
    OperationType.RESEARCH: ResearchInput,
    OperationType.TRAINING: TrainingInput,
    OperationType.BACKTEST: BacktestRequest,
}


async def read_input(client: Client, workflow: ResolvedWorkflow) -> WorkflowInput:
    """Return the input of one of our workflows.

    Raises:
        InvalidInput: The workflow was started by hand with an invalid input.
        TemporalUnavailable: Temporal does not answer.
    """
    kind = _INPUT_OF[workflow.operation_type or OperationType.RESEARCH]
    events = workflow.handle.fetch_history_events(page_size=1, rpc_timeout=RPC_TIMEOUT)
    first = await call_temporal(anext(events))
    payloads = first.workflow_execution_started_event_attributes.input.payloads
    try:
        if not payloads:
            return ResearchInput()
        [argument] = await client.data_converter.decode(payloads[:1], [kind])
    except FailureError as error:
        raise InvalidInput(f"The input of this operation is not valid: {error.message}") from error
    assert isinstance(argument, kind)  # noqa: S101 - the converter has validated it
    return argument
