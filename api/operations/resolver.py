"""Resolves an operation id to what is known about the operation.

`describe()` decides the status, and needs no worker. So an operation can be shown and cancelled
while none runs. Phases and children are known to the workflow itself. A closed one has left them
in Temporal (`api.operations.state.kept`). One that runs is asked by the query `operation`, which
needs a worker, unless its answer is known already (`api.operations.state.answers`).
"""

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.state.answers import KnownAnswers
from api.operations.state.description import (
    TYPE_OF_WORKFLOW,
    ResolvedWorkflow,
    describe_activity_step,
    describe_operation,
    get_closed_status,
)
from api.operations.state.kept import read_kept_operation
from api.operations.state.progress import add_step, read_step
from api.operations.state.step_results import StepResult, read_step_result
from api.temporal_calls import RPC_TIMEOUT, call_temporal, wait_until_closed
from errors import OperationNotFound, TemporalUnavailable, UnreadablePayload
from quant.wording import say_missing
from workflows.interface import search_attributes
from workflows.interface.contract import (
    ACTIVITY_STEPS,
    FINISHED_QUERY,
    OPERATION_QUERY,
    ChildOperation,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.ids import parse_step_id
from workflows.interface.messages import FinishedSteps

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)

# Without a worker a query would wait for one, and so would the client.
QUERY_TIMEOUT = timedelta(seconds=1)


_NOT_FOUND = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


class Resolver:
    """Looks operations up in Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers = KnownAnswers()

    async def find_operation(self, operation_id: str) -> OperationInfo:
        """Return everything about one operation.

        Raises:
            OperationNotFound: No operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in ACTIVITY_STEPS:
            return await self._find_activity_step(operation_id, *step)
        workflow = await self.find_workflow(operation_id)
        if workflow.operation_type is None:
            raise OperationNotFound(say_missing("operation", operation_id))
        return await self.show(workflow)

    async def find_children(self, operation_id: str) -> list[OperationInfo]:
        """Return the steps that an operation has begun, without their results.

        Raises:
            OperationNotFound: No operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        parent = await self.find_operation(operation_id)
        return await asyncio.gather(*(self._find_child(parent, child) for child in parent.children))

    async def find_workflow(self, workflow_id: str) -> ResolvedWorkflow:
        """Return the execution with this workflow id, pinned to its current run.

        Raises:
            OperationNotFound: Temporal knows no such workflow.
            TemporalUnavailable: Temporal does not answer.
        """
        description = await self.describe(workflow_id)
        pinned = self._client.get_workflow_handle(workflow_id, run_id=description.run_id)
        answer = self._answers.find(description)
        if answer is None:
            answer = await self._find_answer(pinned, description)
            self._answers.keep(description, answer)
        return ResolvedWorkflow(pinned, description, answer)

    async def find_run(self, workflow_id: str) -> ResolvedWorkflow:
        """Return the same without the workflow's own answer, which needs a worker.

        Raises:
            OperationNotFound: Temporal knows no such workflow.
            TemporalUnavailable: Temporal does not answer.
        """
        description = await self.describe(workflow_id)
        pinned = self._client.get_workflow_handle(workflow_id, run_id=description.run_id)
        return ResolvedWorkflow(pinned, description, None)

    async def _find_answer(
        self, handle: WorkflowHandle[Any, Any], description: WorkflowExecutionDescription
    ) -> OperationInfo | None:
        """Return what a workflow has left, or what it answers; None if no worker does in time."""
        kept = await read_kept_operation(self._client, handle, description)
        if kept is not None:
            return kept
        answer = await _query(handle, OPERATION_QUERY, OperationInfo)
        if answer is None and get_closed_status(description) is not None:
            # A worker that evicts a closed workflow loses the queries that wait for it.
            answer = await _query(handle, OPERATION_QUERY, OperationInfo)
        return answer

    async def describe(self, workflow_id: str) -> WorkflowExecutionDescription:
        """Return Temporal's description of the current run of a workflow.

        Raises:
            OperationNotFound: Temporal knows no such workflow.
            TemporalUnavailable: Temporal does not answer.
        """
        return await self._describe(self._get_handle(workflow_id))

    async def wait_for_end(self, workflow_id: str) -> None:
        """Wait until a workflow has closed, or for as long as Temporal can be asked."""
        await wait_until_closed(self._get_handle(workflow_id))

    async def describe_run(self, workflow_id: str, run_id: str) -> WorkflowExecutionDescription:
        """Return Temporal's description of one run.

        Raises:
            OperationNotFound: Temporal does not know it, or no longer.
            TemporalUnavailable: Temporal does not answer.
        """
        return await self._describe(self._client.get_workflow_handle(workflow_id, run_id=run_id))

    async def find_owner(self, workflow_id: str) -> str | None:
        """Return the owner of a workflow; None if Temporal knows no such workflow.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        try:
            description = await self.describe(workflow_id)
        except OperationNotFound:
            return None
        return description.typed_search_attributes.get(search_attributes.OWNER)

    async def query_finished_steps(self, workflow: ResolvedWorkflow) -> FinishedSteps:
        """Return the results of the steps that a research has finished, however it ended.

        Raises:
            TemporalUnavailable: No worker answers.
        """
        query = (workflow.handle, FINISHED_QUERY, FinishedSteps)
        # The first query may get lost, as in `find_workflow`.
        finished = await _query(*query) or await _query(*query)
        if finished is None:
            raise _make_no_worker_error(workflow.handle.id)
        return finished

    async def read_step_result(
        self, workflow: ResolvedWorkflow, step: OperationType
    ) -> StepResult | None:
        """Return the result of a design or an assessment; None if it has none.

        Raises:
            TemporalUnavailable: Temporal does not answer, or no worker that runs the research.
        """
        if workflow.closed_status is not None:
            return await read_step_result(self._client, workflow.handle, step)
        finished = await self.query_finished_steps(workflow)
        return finished.design if step is OperationType.DESIGN else finished.assessment

    async def query(self, workflow_id: str, query: str, kind: type[_Answer]) -> _Answer | None:
        """Return what a workflow answers; None if no worker answers in time, or it is another."""
        return await _query(self._get_handle(workflow_id), query, kind)

    async def show(self, workflow: ResolvedWorkflow) -> OperationInfo:
        """Return everything about an operation whose workflow was found.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        info = await describe_operation(workflow)
        if info.status is not OperationStatus.RUNNING:
            return info
        return await self.add_running_step(info, workflow.description)

    async def add_running_step(
        self, info: OperationInfo, description: WorkflowExecutionDescription
    ) -> OperationInfo:
        """Return a running operation with what its present step does.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        if TYPE_OF_WORKFLOW.get(description.workflow_type) is OperationType.CAMPAIGN:
            # Its members are operations of their own. Only the workflow knows how many have ended.
            answer = await self.query(description.id, OPERATION_QUERY, OperationInfo)
            return info.model_copy(update={"progress": answer.progress}) if answer else info
        for child in description.raw_description.pending_children:
            with contextlib.suppress(OperationNotFound):  # It is just being started.
                description = await self._describe(self._get_handle(child.workflow_id))
        step = await read_step(description, self._client.data_converter)
        if step is None:
            return info
        if step.slices is not None and info.running_child is None:
            # Only the workflow knows what the finished slices have found.
            run = self._client.get_workflow_handle(description.id, run_id=description.run_id)
            answer = await _query(run, OPERATION_QUERY, OperationInfo)
            info = info.model_copy(update={"children": answer.children if answer else []})
        return add_step(info, step)

    async def _find_child(self, parent: OperationInfo, child: ChildOperation) -> OperationInfo:
        if child.operation_type in ACTIVITY_STEPS:
            return describe_activity_step(parent, child)
        return await self.find_operation(child.operation_id)

    async def _find_activity_step(
        self, operation_id: str, research_id: str, step: OperationType
    ) -> OperationInfo:
        workflow = await self.find_workflow(research_id)
        research = await self.show(workflow)
        child = next((c for c in research.children if c.operation_id == operation_id), None)
        if workflow.operation_type is not OperationType.RESEARCH or child is None:
            if workflow.answer is None and research.phase is not Phase.QUEUED:
                raise _make_no_worker_error(research_id)
            raise OperationNotFound(say_missing("operation", operation_id))
        info = describe_activity_step(research, child)
        if info.status is not OperationStatus.COMPLETED:
            return info
        result = await self.read_step_result(workflow, step)
        return info.model_copy(update={"result_summary": result and result.model_dump(mode="json")})

    def _get_handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        if not workflow_id:
            raise OperationNotFound("The operation ID is empty.")
        return self._client.get_workflow_handle(workflow_id)

    async def _describe(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
        try:
            return await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status in _NOT_FOUND:
                raise OperationNotFound(say_missing("operation", handle.id)) from None
            raise


async def _query(
    handle: WorkflowHandle[Any, Any], query: str, kind: type[_Answer]
) -> _Answer | None:
    """Query the workflow; None if no worker answers in time."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
            answer: _Answer = await handle.query(query, result_type=kind, rpc_timeout=QUERY_TIMEOUT)
            return answer
    except (
        *(RPCError, WorkflowQueryFailedError, TimeoutError),
        # The answer is not of the type. A workflow of another worker may have our names.
        *(FailureError, UnreadablePayload),
    ) as error:
        _log.debug("%s does not answer the query %s: %s", handle.id, query, error)
        return None


def _make_no_worker_error(workflow_id: str) -> TemporalUnavailable:
    return TemporalUnavailable(
        f"No worker has told which steps {workflow_id} has finished: start one, or see its log."
    )
