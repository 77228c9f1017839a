"""Continues cancelled and failed operations: a resume keeps the id, a retry gets a new one.

Neither can happen twice, however many clients ask. Temporal lets only one run of a workflow id be
open, and the id of a retry derives from the run that it repeats.
"""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, SearchAttributePair, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.checkpoints.reader import Checkpoints
from api.idempotency import IdempotencyKey
from api.memo import read_texts, read_whole_memo
from api.operations.resolver import Resolver
from api.operations.results import fetch_training_metrics
from api.operations.schemas import Resumed, ResumedFrom
from api.operations.start import (
    WorkflowStart,
    make_backtest_start,
    make_research_start,
    make_training_start,
)
from api.operations.starter import Starter
from api.operations.state.description import ResolvedWorkflow
from api.operations.workflow_input import read_input
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import (
    ArtifactsUnavailable,
    DamagedArtifact,
    InvalidInput,
    NotResumable,
    NotRetryable,
    OperationNotFound,
)
from quant.messages.progress import Ending
from quant.messages.steps import TrainingInput
from quant.wording import say_missing
from storage.artifacts import ArtifactStore
from workflows.interface import search_attributes
from workflows.interface.contract import RETRY_OF, WARNINGS, OperationStatus, OperationType
from workflows.interface.ids import make_retry_id, make_step_id, parse_step_id
from workflows.interface.messages import FinishedSteps, ResearchInput

# In the memo of a run that resumes an earlier one.
_RESUMED_FROM = "resumed_from"

_Refusal = type[NotResumable] | type[NotRetryable]


class Recovery:
    """Resumes and retries operations."""

    def __init__(
        self,
        client: Client,
        resolver: Resolver,
        starter: Starter,
        artifacts: ArtifactStore,
        checkpoints: Checkpoints,
    ) -> None:
        self._client = client
        self._resolver = resolver
        self._starter = starter
        self._artifacts = artifacts
        self._checkpoints = checkpoints

    async def resume(self, operation_id: str, key: IdempotencyKey | None) -> Resumed:
        """Continue an operation under its id. A research continues with its first unfinished step.

        Raises:
            OperationNotFound: No operation has this id.
            NotResumable: It runs, has completed, is a step of a research, or its checkpoint was
                deleted.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer, or no worker that knows the finished
                steps.
            ArtifactsUnavailable: The artifact store, which knows of deleted checkpoints, does not
                answer.
        """
        workflow = await self._find_workflow(operation_id, NotResumable)
        memo = await read_whole_memo(workflow.description)
        if key is not None and key.read_memo(memo):
            return _read_answer(operation_id, memo)
        _require_failure(workflow, NotResumable)
        if await self._checkpoints.is_deleted(operation_id):
            raise NotResumable(f"The checkpoint of {operation_id} was deleted; retry it instead.")
        finished = None
        if workflow.operation_type is OperationType.RESEARCH:
            finished = await self._resolver.query_finished_steps(workflow)
            await self._wait_for_children(workflow)
        start = await self._make_start(workflow, NotResumable, finished)
        start = _mark_resumed(start, workflow.description.run_id)
        resumed_from = await self._find_resumed_from(workflow)
        memo.pop(Ending.memo_key, None)
        memo |= {_RESUMED_FROM: resumed_from.model_dump(mode="json")}
        memo |= key.make_memo(operation_id) if key else {}
        try:
            await self._starter.start_with_id(
                start,
                operation_id,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                memo=memo,
            )
        except WorkflowAlreadyStartedError:
            running = await self._find_workflow(operation_id, NotResumable)
            memo = await read_whole_memo(running.description)
            if key is None or not key.read_memo(memo):
                raise NotResumable(f"{operation_id} is running.") from None
        return _read_answer(operation_id, memo)

    async def retry(self, operation_id: str, key: IdempotencyKey | None) -> str:
        """Start an operation from its beginning under a new id.

        Returns:
            The new id.

        Raises:
            OperationNotFound: No operation has this id.
            NotRetryable: It runs, has completed, is a step of a research, or was retried already.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        workflow = await self._find_workflow(operation_id, NotRetryable)
        _require_failure(workflow, NotRetryable)
        start = await self._make_start(workflow, NotRetryable)
        description = workflow.description
        retry_id = make_retry_id(
            start.operation_type,
            description.run_id,
            description.close_time or datetime.now(UTC),
        )
        warnings = await read_texts(description, WARNINGS)
        memo = {RETRY_OF: operation_id, WARNINGS: warnings}
        memo |= key.make_memo(retry_id) if key else {}
        try:
            await self._starter.start_with_id(
                start, retry_id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE, memo=memo
            )
        except WorkflowAlreadyStartedError:
            earlier = await self._find_workflow(retry_id, NotRetryable)
            if key is None or not key.read_memo(await read_whole_memo(earlier.description)):
                raise NotRetryable(f"{operation_id} was already retried, as {retry_id}.") from None
        return retry_id

    async def _find_workflow(self, operation_id: str, refusal: _Refusal) -> ResolvedWorkflow:
        """Return the workflow of an operation that is not a step of a research."""
        step = parse_step_id(operation_id)
        if step is not None:
            await self._resolver.find_operation(operation_id)
            raise refusal(f"{operation_id} is a step; use the ID of its research, {step[0]}.")
        workflow = await self._resolver.find_workflow(operation_id)
        if workflow.operation_type is None:
            raise OperationNotFound(say_missing("operation", operation_id))
        if workflow.operation_type is OperationType.CAMPAIGN:
            raise refusal(
                f"{operation_id} is a campaign; resume or retry its members, or start another one."
            )
        return workflow

    async def _wait_for_children(self, parent: ResolvedWorkflow) -> None:
        """Wait for the end of the child workflows, a moment after a terminated parent."""
        for step in (OperationType.TRAINING, OperationType.BACKTEST):
            child_id = make_step_id(parent.description.id, step)
            try:
                child = await call_temporal(
                    self._client.get_workflow_handle(child_id).describe(rpc_timeout=RPC_TIMEOUT)
                )
                started_by = child.raw_description.workflow_execution_info.parent_execution.run_id
                if started_by == parent.description.run_id:
                    run = self._client.get_workflow_handle(child_id, run_id=child.run_id)
                    await call_temporal(run.result(rpc_timeout=RPC_TIMEOUT))
            except WorkflowFailureError:
                pass  # It ended without a result.
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # The step has not begun.
                    raise

    async def _make_start(
        self, workflow: ResolvedWorkflow, refusal: _Refusal, finished: FinishedSteps | None = None
    ) -> WorkflowStart:
        """Return the start of a workflow with the same input."""
        try:
            argument = await read_input(self._client, workflow)
        except InvalidInput as error:
            raise refusal(error.message) from error
        if isinstance(argument, ResearchInput):
            return make_research_start(argument, finished)
        info = workflow.description.raw_description.workflow_execution_info
        priority = Priority(
            priority_key=info.priority.priority_key or None,
            fairness_key=workflow.description.typed_search_attributes.get(search_attributes.OWNER),
        )
        if isinstance(argument, TrainingInput):
            return make_training_start(argument, priority)
        return make_backtest_start(argument, priority)

    async def _find_resumed_from(self, workflow: ResolvedWorkflow) -> ResumedFrom:
        description = workflow.description
        training_id = description.id
        if workflow.operation_type is OperationType.RESEARCH:
            training_id = make_step_id(description.id, OperationType.TRAINING)
        metrics = None
        # The worker needs the checkpoint. The client can do without the number of its iterations.
        with contextlib.suppress(ArtifactsUnavailable, DamagedArtifact):
            metrics = await fetch_training_metrics(self._artifacts, training_id)
        cancelled = workflow.closed_status is OperationStatus.CANCELLED
        return ResumedFrom(
            checkpoint_type="cancellation" if cancelled else "failure",
            created_at=description.close_time or description.start_time,
            epoch=metrics and metrics.iterations_completed,
        )


def _mark_resumed(start: WorkflowStart, run_id: str) -> WorkflowStart:
    """Return the start with the run that it continues."""
    resumed = SearchAttributePair(search_attributes.RESUMED_RUN, run_id)
    return replace(start, attributes=[*start.attributes, resumed])


def _read_answer(operation_id: str, memo: dict[str, Any]) -> Resumed:
    """Return the answer from the memo. A repeated request gets the answer to the first."""
    resumed_from = ResumedFrom.model_validate(memo[_RESUMED_FROM])
    return Resumed(operation_id=operation_id, resumed_from=resumed_from)


def _require_failure(workflow: ResolvedWorkflow, refusal: _Refusal) -> None:
    status = workflow.closed_status
    if status not in (OperationStatus.FAILED, OperationStatus.CANCELLED):
        raise refusal(
            f"{workflow.handle.id} is {status or 'still active'}; only failed or cancelled "
            "operations can continue."
        )
