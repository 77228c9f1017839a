"""Resolves an operation id to what is known about the operation.

The `operation` query and `describe()` are sent at the same time. The query knows type, phase and
children; `describe()` decides the status and needs no worker, so an operation can be shown and
cancelled when none is running.
"""

import asyncio
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

from api.operations.description import ResolvedWorkflow, activity_step, described, ended_as
from api.operations.progress import activity_progress, research_progress
from api.temporal_calls import RPC_TIMEOUT, answered
from errors import OperationNotFound, TemporalUnavailable
from workflows import search_attributes
from workflows.contract import (
    ACTIVITY_STEPS,
    FINISHED_QUERY,
    OPERATION_QUERY,
    ChildOperation,
    OperationInfo,
    OperationStatus,
    OperationType,
)
from workflows.ids import parse_step_id
from workflows.messages import FinishedSteps

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)

# Without a worker a query waits for one; a client should not.
QUERY_TIMEOUT = timedelta(seconds=1)

_ID_SHOWN = 100

_NOT_FOUND = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


class Resolver:
    """Looks operations up in Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def operation(self, operation_id: str) -> OperationInfo:
        """Return everything about one operation.

        Raises:
            OperationNotFound: no operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        step = parse_step_id(operation_id)
        if step and step[1] in ACTIVITY_STEPS:
            return await self._activity_step(operation_id, *step)
        workflow = await self.workflow(operation_id)
        if workflow.operation_type is None:
            raise OperationNotFound(f"There is no operation {_shown(operation_id)}.")
        return await self._info(workflow)

    async def children(self, operation_id: str) -> list[OperationInfo]:
        """Return the steps that an operation has begun, without their results.

        Raises:
            OperationNotFound: no operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        parent = await self.operation(operation_id)
        return await asyncio.gather(*(self._child(parent, child) for child in parent.children))

    async def workflow(self, workflow_id: str) -> ResolvedWorkflow:
        """Return the execution with this workflow id, pinned to its current run.

        Raises:
            OperationNotFound: Temporal knows no such workflow.
            TemporalUnavailable: Temporal does not answer.
        """
        handle = self._handle(workflow_id)
        query = asyncio.create_task(_answer(handle, OPERATION_QUERY, OperationInfo))
        try:
            description = await self._describe(handle)
            pinned = self._client.get_workflow_handle(workflow_id, run_id=description.run_id)
            answer = await query
            if answer is None and ended_as(description):
                # A worker that lets go of a closed workflow loses queries that wait for it.
                answer = await _answer(pinned, OPERATION_QUERY, OperationInfo)
            return ResolvedWorkflow(pinned, description, answer)
        finally:
            query.cancel()

    async def owner(self, workflow_id: str) -> str | None:
        """Return the owner of a workflow; None if Temporal knows no such workflow.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        try:
            description = await self._describe(self._handle(workflow_id))
        except OperationNotFound:
            return None
        return description.typed_search_attributes.get(search_attributes.OWNER)

    async def finished(self, workflow: ResolvedWorkflow) -> FinishedSteps:
        """Return the results of the steps that a research has finished, however it ended.

        Raises:
            TemporalUnavailable: no worker answers.
        """
        asked = (workflow.handle, FINISHED_QUERY, FinishedSteps)
        finished = await _answer(*asked) or await _answer(*asked)  # It may get lost, as above.
        if finished is None:
            raise _no_worker(workflow.handle.id)
        return finished

    async def _info(self, workflow: ResolvedWorkflow) -> OperationInfo:
        info = await described(workflow)
        if workflow.ended_as:
            return info
        description = workflow.description
        for child in description.raw_description.pending_children:
            description = await self._describe(self._handle(child.workflow_id))
        step = await activity_progress(description, self._client.data_converter)
        if step is None:
            return info
        if info.operation_type is not OperationType.RESEARCH:
            return info.model_copy(update={"progress": step})
        children = [
            child.model_copy(update={"progress": step})
            if child.status is OperationStatus.RUNNING
            else child
            for child in info.children
        ]
        return research_progress(info.model_copy(update={"children": children}), step)

    async def _child(self, parent: OperationInfo, child: ChildOperation) -> OperationInfo:
        if child.operation_type in ACTIVITY_STEPS:
            return activity_step(parent, child)
        return await self.operation(child.operation_id)

    async def _activity_step(
        self, operation_id: str, research_id: str, step: OperationType
    ) -> OperationInfo:
        workflow = await self.workflow(research_id)
        research = await self._info(workflow)
        child = next((c for c in research.children if c.operation_id == operation_id), None)
        if workflow.operation_type is not OperationType.RESEARCH or child is None:
            if workflow.answer is None and research.phase is not None:
                raise _no_worker(research_id)
            raise OperationNotFound(f"There is no operation {_shown(operation_id)}.")
        info = activity_step(research, child)
        if info.status is not OperationStatus.COMPLETED:
            return info
        finished = await self.finished(workflow)
        result = finished.design if step is OperationType.DESIGN else finished.assessment
        return info.model_copy(update={"result_summary": result and result.model_dump(mode="json")})

    def _handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        if not workflow_id:
            raise OperationNotFound("The operation ID is empty.")
        return self._client.get_workflow_handle(workflow_id)

    async def _describe(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
        try:
            return await answered(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status in _NOT_FOUND:
                raise OperationNotFound(f"There is no operation {_shown(handle.id)}.") from None
            raise


async def _answer(
    handle: WorkflowHandle[Any, Any], query: str, kind: type[_Answer]
) -> _Answer | None:
    """Query the workflow; None if no worker answers in time."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
            answer: _Answer = await handle.query(query, result_type=kind, rpc_timeout=QUERY_TIMEOUT)
            return answer
    except (RPCError, WorkflowQueryFailedError, FailureError, TimeoutError) as error:
        _log.debug("%s does not answer the query %s: %s", handle.id, query, error)
        return None


def _no_worker(workflow_id: str) -> TemporalUnavailable:
    return TemporalUnavailable(
        f"No worker can tell which steps {workflow_id} has finished; is one running?"
    )


def _shown(operation_id: str) -> str:
    """Return an id for a message: it comes from outside and may be anything."""
    return repr(operation_id if len(operation_id) <= _ID_SHOWN else operation_id[:_ID_SHOWN] + "…")
