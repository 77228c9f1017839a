"""A workflow as an operation: its state, and the one way in which every operation ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import Priority, SearchAttributePair
from temporalio.exceptions import ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from quant.messages.progress import Progress
    from workflows import metrics, policies
    from workflows.cancellation import (
        cancel_requested,
        get_cancel_reason,
        raise_if_cancelled,
    )
    from workflows.ending import (
        cancel_with_step,
        keep_ending,
        keep_goal,
        keep_operation,
        record_end,
    )
    from workflows.interface import search_attributes
    from workflows.interface.contract import (
        GOAL,
        PHASE_START,
        PHASE_STEP,
        PRIORITY,
        RETRY_OF,
        WARNINGS,
        ChildOperation,
        OperationInfo,
        OperationMetadata,
        OperationStatus,
        OperationType,
        Phase,
        PhaseEntered,
    )
    from workflows.interface.failures import describe_failure, get_reason
    from workflows.interface.ids import get_step_name, make_step_id
    from workflows.interface.progress import find_progress

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


class Operation:
    """The operation that a workflow runs.

    Attributes:
        info: Its current state, as the query `operation` answers.
        outcome: What Temporal's Web UI shows of the result, once there is one.
    """

    def __init__(
        self,
        operation_type: OperationType,
        metadata: OperationMetadata,
        *,
        owner: str | None = None,
        priority: int | None = None,
        goal: str | None = None,
    ) -> None:
        this = workflow.info()
        self.info = OperationInfo(
            operation_id=this.workflow_id,
            parent_operation_id=this.parent.workflow_id if this.parent else None,
            operation_type=operation_type,
            status=OperationStatus.RUNNING,
            created_at=this.start_time,
            started_at=workflow.now(),
            metadata=metadata,
            owner=owner or search_attributes.read_owner(this.typed_search_attributes),
            priority=priority or this.priority.priority_key,
            goal=goal,
            retry_of=workflow.memo_value(RETRY_OF, default=None, type_hint=str),
            warnings=workflow.memo_value(WARNINGS, default=[], type_hint=list[str]),
        )
        self.outcome: str | None = None
        self._stopped: ChildOperation | None = None
        self._progress: Progress | None = None
        self._cancel_accepted: datetime | None = None

    def snapshot(self) -> OperationInfo:
        """Return the current state for a query."""
        return self.info.model_copy(
            update={
                "cancel_requested": cancel_requested(),
                "cancellation_reason": get_cancel_reason(),
            }
        )

    def enter(self, phase: Phase, *attributes: SearchAttributePair[Any]) -> None:
        """Enter the next phase, and show it in the query and in lists."""
        if self.info.phases:
            began = self.info.phases[-1]
            metrics.record_phase(began.phase, workflow.now() - began.started_at)
        self.info.phase = phase
        self.info.phases.append(PhaseEntered(phase=phase, started_at=workflow.now()))
        self.info.metadata.parameters |= {
            "phase": phase.value,
            "phase_start_time": workflow.now().isoformat(),
        }
        self.info.progress = self.info.progress.model_copy(
            update={"percentage": PHASE_START[phase], "current_step": PHASE_STEP[phase]}
        )
        self.publish(SearchAttributePair(search_attributes.RESEARCH_PHASE, phase), *attributes)
        self._log(phase)
        self._show(phase.value, PHASE_STEP[phase])

    def _show(self, state: str, text: str | None) -> None:
        """Show the state in Temporal's Web UI."""
        workflow.set_current_details(f"**{state}** · {text}" if text else f"**{state}**")

    def publish(self, *attributes: SearchAttributePair[Any]) -> None:
        """Set the search attributes whose value has changed."""
        known = workflow.info().typed_search_attributes
        changed = [pair for pair in attributes if known.get(pair.key) != pair.value]
        if changed:
            workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in changed])

    def _leave_queue(self) -> None:
        """Take a training or backtest out of the list of pending operations. It has no phases."""
        queued = workflow.info().typed_search_attributes.get(search_attributes.RESEARCH_PHASE)
        if queued and self.info.operation_type is not OperationType.RESEARCH:
            workflow.upsert_search_attributes([search_attributes.RESEARCH_PHASE.value_unset()])

    def step_id(self, step: OperationType) -> str:
        """Return the operation id of a step."""
        return make_step_id(self.info.operation_id, step)

    def add_step(self, step: OperationType, status: OperationStatus) -> ChildOperation:
        """Add a step to the list of children."""
        child = ChildOperation(operation_id=self.step_id(step), operation_type=step, status=status)
        self.info.children.append(child)
        self.info.metadata.parameters[f"{get_step_name(step)}_op_id"] = child.operation_id
        return child

    async def run_activity(
        self,
        step: OperationType,
        activity: Callable[[Any, _Argument], Awaitable[_Result]],
        task: _Argument,
        *,
        summary: str,
    ) -> _Result:
        """Run a step that is an activity."""
        work = policies.run_compute(activity, task, summary=summary, priority=self.priority)
        return await self.run_step(step, work)

    async def run_child_workflow(
        self,
        step: OperationType,
        run: Callable[[Any, _Argument], Awaitable[_Result]],
        argument: _Argument,
        *,
        strategy: str,
        task_queue: str,
        summary: str,
    ) -> _Result:
        """Run a step that is a workflow of its own."""
        work = policies.run_child_workflow(
            run,
            argument,
            child_id=self.step_id(step),
            task_queue=task_queue,
            attributes=search_attributes.make_pairs(
                operation_type=step,
                parent_operation_id=self.info.operation_id,
                phase=Phase.QUEUED,
                symbol=self.info.metadata.symbol,
                symbols=self.info.metadata.symbols,
                owner=self.info.owner,
                strategy=strategy,
            ),
            memo={GOAL: strategy, PRIORITY: self.info.priority},
            summary=summary,
            priority=self.priority,
        )
        return await self.run_step(step, work)

    async def run_step(self, step: OperationType, work: Awaitable[_Result]) -> _Result:
        """Await a step, and keep the list of children up to date."""
        child = self.add_step(step, OperationStatus.RUNNING)
        child.started_at = workflow.now()
        try:
            result = await work
            child.status, child.completed_at = OperationStatus.COMPLETED, workflow.now()
        except (Exception, asyncio.CancelledError) as error:
            cancelled = is_cancelled_exception(error)
            child.status = OperationStatus.CANCELLED if cancelled else OperationStatus.FAILED
            child.completed_at = workflow.now()
            self._stopped, self._progress = child, child.progress or find_progress(error)
            if not cancelled:
                child.error_message = describe_failure(error)
            # The list shows how the child ended, but an accepted cancel wins over that.
            raise_if_cancelled()
            raise
        # Not in a `finally`: that also runs when a worker evicts this workflow, and then a cancel
        # cannot be checked.
        raise_if_cancelled()
        return result

    def _log(self, event: str) -> None:
        workflow.logger.info("%s: %s", self.info.operation_id, event)

    @property
    def priority(self) -> Priority:
        """The priority of its steps in a task queue. Owners get fair shares."""
        return Priority(priority_key=self.info.priority, fairness_key=self.info.owner)

    async def run(
        self,
        work: Callable[[], Awaitable[_Result]],
        record: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> _Result:
        """Do the work, end the operation in exactly one way, and record that end.

        An accepted cancel wins over every other outcome, up to the last moment.

        Args:
            work: The steps of the operation.
            record: Writes the end into the ledger, if the operation has a record.

        Raises:
            asyncio.CancelledError: A cancel was accepted, and the work has stopped.
            ApplicationError: The work failed. The message is that of the root cause.
        """
        self._log("begun")
        self._watch = asyncio.create_task(self._note_cancel())
        try:
            raise_if_cancelled()
            # The API sets these at the start. A workflow that is started by hand lacks them.
            keep_goal(self.info)
            self._leave_queue()
            self.publish(
                *search_attributes.make_pairs(
                    operation_type=self.info.operation_type,
                    symbol=self.info.metadata.symbol,
                    symbols=self.info.metadata.symbols,
                    owner=self.info.owner,
                )
            )
            result = await work()
            raise_if_cancelled()
            await self._end(OperationStatus.COMPLETED, record)
            raise_if_cancelled()
        except (Exception, asyncio.CancelledError) as error:
            failure = error
            self._progress = self._progress or find_progress(error)
        else:
            keep_operation(self.snapshot())
            return result
        if not cancel_requested() and is_cancelled_exception(failure):
            await cancel_with_step(failure)
        if not cancel_requested():
            self.info.error_message = describe_failure(failure)
            await keep_ending(self.info, self._stopped, self._progress)
            await self._end(OperationStatus.FAILED, record, get_reason(failure))
            if not cancel_requested():
                keep_operation(self.snapshot())
                raise ApplicationError(
                    self.info.error_message, type=get_reason(failure)
                ) from failure
        self.info.error_message = None
        await keep_ending(self.info, self._stopped, self._progress)
        await self._end(OperationStatus.CANCELLED, record)
        keep_operation(self.snapshot())
        raise asyncio.CancelledError

    async def _note_cancel(self) -> None:
        """Note when a cancel was accepted, whoever requested it."""
        await workflow.wait_condition(cancel_requested)
        self._cancel_accepted = workflow.now()
        self._log("cancel accepted")
        self._show("cancelling", get_cancel_reason())

    async def _end(
        self,
        status: OperationStatus,
        record: Callable[[], Coroutine[Any, Any, None]] | None,
        reason: str = "",
    ) -> None:
        self.info.status = status
        self.info.completed_at = workflow.now()
        if status is OperationStatus.COMPLETED:
            self.info.progress = self.info.progress.model_copy(update={"percentage": 100.0})
        cancelled = status is OperationStatus.CANCELLED
        why = get_cancel_reason() if cancelled else self.info.error_message
        self._show(status.value, why or self.outcome)
        if cancelled:
            metrics.record_cancel(workflow.now() - (self._cancel_accepted or workflow.now()))
        if record is not None:
            await record_end(record(), self.info)
        self._log(f"{status.value} {reason}".strip())
        metrics.count_ended(self.info.operation_type, status, reason)
