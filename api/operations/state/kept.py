"""What an operation that has ended has left in Temporal. To read it needs no worker."""

from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from api.memo import read_memo
from api.operations.state.closed_steps import read_closed_step
from api.operations.state.description import get_closed_status
from api.operations.state.ending import read_forced_end, read_result
from workflows.interface.contract import OPERATION, OperationInfo, OperationStatus


async def read_kept_operation(
    client: Client, handle: WorkflowHandle[Any, Any], description: WorkflowExecutionDescription
) -> OperationInfo | None:
    """Return a closed operation as its workflow would answer, or None if it has left nothing.

    Workflows that were started by hand, or by an earlier version, leave nothing; nor does one that
    was terminated by other means than the API.

    Raises:
        TemporalUnavailable: Temporal does not answer.
    """
    status = get_closed_status(description)
    if status is None:
        return None
    if (step := await read_closed_step(client, handle, description)) is not None:
        return step
    if description.status is WorkflowExecutionStatus.TERMINATED:
        kept = (await read_forced_end(handle)).operation
    else:
        kept = await read_memo(description, OPERATION, OperationInfo)
    if kept is None or kept.operation_id != description.id:
        return None
    if status is OperationStatus.COMPLETED:
        return kept.model_copy(update={"result_summary": await read_result(handle)})
    return kept
