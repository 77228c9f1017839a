"""Continuing what was cancelled or failed: resumed under its own id, or retried under a new one.

Temporal lets only one run of a workflow id be open, and the id of a retry derives from the run that
it repeats. So neither can happen twice, however many clients ask and however often.
"""

import contextlib
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.description import ResolvedWorkflow
from api.operations.resolver import Resolver
from api.operations.schemas import Resumed, ResumedFrom
from api.operations.start import (
    IdempotencyKey,
    Start,
    Starter,
    backtest_start,
    research_start,
    training_start,
)
from api.operations.training_metrics import read_metrics
from api.operations.workflow_input import given_to
from api.temporal_calls import RPC_TIMEOUT, answered
from errors import ArtifactsUnavailable, InvalidInput, NotResumable, NotRetryable, OperationNotFound
from quant.messages.steps import TrainingInput
from storage.artifacts import ArtifactStore
from workflows import search_attributes
from workflows.contract import RETRY_OF, OperationStatus, OperationType
from workflows.ids import make_retry_id, make_step_id, parse_step_id
from workflows.messages import FinishedSteps, ResearchInput

# In the memo of a run that resumes an earlier one.
_RESUMED_FROM = "resumed_from"

_Refusal = type[NotResumable] | type[NotRetryable]


class Continuer:
    """Resumes and retries operations."""

    def __init__(
        self, client: Client, resolver: Resolver, starter: Starter, artifacts: ArtifactStore
    ) -> None:
        self._client = client
        self._resolver = resolver
        self._starter = starter
        self._artifacts = artifacts

    async def resume(self, operation_id: str, key: IdempotencyKey | None) -> Resumed:
        """Continue under the same id: a research from its first unfinished step.

        Raises:
            OperationNotFound: no operation has this id.
            NotResumable: it runs, has completed, or is a step of a research.
            KeyReused: the key was used with a different request.
            AtCapacity: the limit on active researches is reached.
            TemporalUnavailable: Temporal or a worker that knows the finished steps does not answer.
        """
        workflow = await self._workflow(operation_id, NotResumable)
        memo = dict(await workflow.description.memo())
        if key is not None and key.opened(memo):
            return _as_answered(operation_id, memo)
        _require_failure(workflow, NotResumable)
        finished = None
        if workflow.operation_type is OperationType.RESEARCH:
            finished = await self._resolver.finished(workflow)
            await self._until_children_have_ended(workflow)
        start = await self._start_of(workflow, NotResumable, finished)
        since = await self._resumed_from(workflow)
        memo |= {_RESUMED_FROM: since.model_dump(mode="json")}
        memo |= key.memo(operation_id) if key else {}
        try:
            await self._starter.start(start, operation_id, again=True, memo=memo)
        except WorkflowAlreadyStartedError:
            running = await self._workflow(operation_id, NotResumable)
            memo = dict(await running.description.memo())
            if key is None or not key.opened(memo):
                raise NotResumable(f"{operation_id} is running.") from None
        return _as_answered(operation_id, memo)

    async def retry(self, operation_id: str, key: IdempotencyKey | None) -> str:
        """Start over under a new id, and return it.

        Raises:
            OperationNotFound: no operation has this id.
            NotRetryable: it runs, has completed, is a step of a research, or was retried already.
            KeyReused: the key was used with a different request.
            AtCapacity: the limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        workflow = await self._workflow(operation_id, NotRetryable)
        _require_failure(workflow, NotRetryable)
        start = await self._start_of(workflow, NotRetryable)
        description = workflow.description
        retry_id = make_retry_id(
            start.operation_type,
            description.run_id,
            description.close_time or datetime.now(UTC),
        )
        memo = {RETRY_OF: operation_id} | (key.memo(retry_id) if key else {})
        try:
            await self._starter.start(start, retry_id, again=False, memo=memo)
        except WorkflowAlreadyStartedError:
            earlier = await self._workflow(retry_id, NotRetryable)
            if key is None or not key.opened(dict(await earlier.description.memo())):
                raise NotRetryable(f"{operation_id} was already retried, as {retry_id}.") from None
        return retry_id

    async def _workflow(self, operation_id: str, refusal: _Refusal) -> ResolvedWorkflow:
        step = parse_step_id(operation_id)
        if step is not None:
            await self._resolver.operation(operation_id)
            raise refusal(f"{operation_id} is a step; use the ID of its research, {step[0]}.")
        workflow = await self._resolver.workflow(operation_id)
        if workflow.operation_type is None:
            raise OperationNotFound(f"There is no operation {operation_id!r}.")
        return workflow

    async def _until_children_have_ended(self, parent: ResolvedWorkflow) -> None:
        """Wait for child workflows, which end a moment after their terminated parent."""
        for step in (OperationType.TRAINING, OperationType.BACKTEST):
            child_id = make_step_id(parent.description.id, step)
            try:
                child = await answered(
                    self._client.get_workflow_handle(child_id).describe(rpc_timeout=RPC_TIMEOUT)
                )
                begun_by = child.raw_description.workflow_execution_info.parent_execution.run_id
                if begun_by == parent.description.run_id:
                    ended = self._client.get_workflow_handle(child_id, run_id=child.run_id)
                    await answered(ended.result(rpc_timeout=RPC_TIMEOUT))
            except WorkflowFailureError:
                pass  # Ended without a result.
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # A step that has not begun.
                    raise

    async def _start_of(
        self, workflow: ResolvedWorkflow, refusal: _Refusal, finished: FinishedSteps | None = None
    ) -> Start:
        """Return how to start this workflow's input again."""
        try:
            given = await given_to(self._client, workflow)
        except InvalidInput as error:
            raise refusal(error.message) from error
        if isinstance(given, ResearchInput):
            return research_start(given, finished)
        info = workflow.description.raw_description.workflow_execution_info
        priority = Priority(
            priority_key=info.priority.priority_key or None,
            fairness_key=workflow.description.typed_search_attributes.get(search_attributes.OWNER),
        )
        if isinstance(given, TrainingInput):
            return training_start(given, priority)
        return backtest_start(given, priority)

    async def _resumed_from(self, workflow: ResolvedWorkflow) -> ResumedFrom:
        description = workflow.description
        training_id = description.id
        if workflow.operation_type is OperationType.RESEARCH:
            training_id = make_step_id(description.id, OperationType.TRAINING)
        metrics = None
        # Only the worker needs the checkpoint itself.
        with contextlib.suppress(ArtifactsUnavailable):
            metrics = await read_metrics(self._artifacts, training_id)
        cancelled = workflow.ended_as is OperationStatus.CANCELLED
        return ResumedFrom(
            checkpoint_type="cancellation" if cancelled else "failure",
            created_at=description.close_time or description.start_time,
            epoch=metrics and metrics.iterations_completed,
        )


def _as_answered(operation_id: str, memo: dict[str, Any]) -> Resumed:
    """Return the answer to the first request with a key, for every repetition of it."""
    since = ResumedFrom.model_validate(memo[_RESUMED_FROM])
    return Resumed(operation_id=operation_id, resumed_from=since)


def _require_failure(workflow: ResolvedWorkflow, refusal: _Refusal) -> None:
    if workflow.ended_as not in (OperationStatus.FAILED, OperationStatus.CANCELLED):
        state = workflow.ended_as or "still active"
        raise refusal(
            f"{workflow.handle.id} is {state}; only failed or cancelled operations can continue."
        )
