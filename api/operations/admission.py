"""Asks the workflow `Admission` whether more researches may begin."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.admission import ADMISSION_ID
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import TemporalUnavailable
from workflows.admission import Admission
from workflows.interface.admission import AdmissionAnswer, AdmissionRequest
from workflows.policies import RESEARCH_QUEUE

_log = logging.getLogger(__name__)

# On a busy machine a worker needs a moment to count. A request that arrives meanwhile waits for the
# next count.
_TIMEOUT: Final = timedelta(seconds=20)

# Without an answer by then, the workflow is checked.
_SECONDS_UNTIL_CHECK: Final = 2.0

# A workflow task that has failed twice will not succeed.
_HOPELESS_ATTEMPT: Final = 3


@dataclass(frozen=True)
class _Waiter:
    """A request that waits for its answer."""

    request: AdmissionRequest
    answer: asyncio.Future[AdmissionAnswer]


class AdmissionClient:
    """Sends one update at a time. Requests that arrive meanwhile go with the next one.

    Temporal accepts ten updates in flight for one workflow. This class has one in flight for each
    process of the API, however many requests there are.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiters: list[_Waiter] = []
        self._sending: asyncio.Task[None] | None = None

    async def admit(self, operation_id: str, limit: int) -> AdmissionAnswer:
        """Return whether a research may begin.

        The workflow counts an admitted research from now on, before Temporal lists it.

        Raises:
            TemporalUnavailable: There is no answer.
        """
        request = AdmissionRequest(operation_id=operation_id, limit=limit)
        waiter = _Waiter(request, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())
        return await call_temporal(waiter.answer, _TIMEOUT.total_seconds())

    async def _send_all(self) -> None:
        while self._waiters:
            waiters, self._waiters = self._waiters, []
            # The time limit of some has passed while they waited.
            waiters = [each for each in waiters if not each.answer.done()]
            if waiters:
                await self._send(waiters)

    async def _send(self, waiters: Sequence[_Waiter]) -> None:
        try:
            answers = await call_temporal(
                self._update_or_replace([each.request for each in waiters]),
                _TIMEOUT.total_seconds(),
            )
        except Exception as error:
            for each in waiters:
                if not each.answer.done():
                    each.answer.set_exception(error)
        else:
            for each, answer in zip(waiters, answers, strict=True):
                if not each.answer.done():
                    each.answer.set_result(answer)

    async def _update_or_replace(self, requests: list[AdmissionRequest]) -> list[AdmissionAnswer]:
        update = asyncio.create_task(self._update(requests))
        try:
            await asyncio.wait([update], timeout=_SECONDS_UNTIL_CHECK)
            failed = not update.done() or update.exception() is not None
            if failed and await self._terminate_if_broken():
                update.cancel()
                return await self._update(requests)
            return await update
        finally:
            update.cancel()

    async def _update(self, requests: list[AdmissionRequest]) -> list[AdmissionAnswer]:
        start = WithStartWorkflowOperation(
            Admission.run,
            id=ADMISSION_ID,
            task_queue=RESEARCH_QUEUE,
            static_summary="Keeps the number of active researches within its limit",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            return await self._client.execute_update_with_start_workflow(
                Admission.admit_all,
                requests,
                start_workflow_operation=start,
                rpc_timeout=_TIMEOUT,
            )
        except WorkflowUpdateFailedError as error:
            raise TemporalUnavailable(
                "The active researches cannot be counted; try again in a moment."
            ) from error
        except asyncio.CancelledError:
            # The SDK passes the cancel on to the handle, and warns if nobody awaits the handle.
            with contextlib.suppress(asyncio.CancelledError):
                await start.workflow_handle()
            raise

    async def _terminate_if_broken(self) -> bool:
        """Terminate the workflow if it cannot answer. The next update starts it again.

        Nothing is lost. Only the admissions of the last seconds are nowhere else, and a workflow
        that cannot answer has admitted nothing in these seconds.

        Returns:
            Whether the next update will start the workflow.
        """
        handle = self._client.get_workflow_handle(ADMISSION_ID)
        try:
            description = await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
            reason = _find_fault(description)
            if reason is None:
                return False
            _log.warning("replacing the workflow %r: %s", ADMISSION_ID, reason)
            this_run = self._client.get_workflow_handle(ADMISSION_ID, run_id=description.run_id)
            await call_temporal(this_run.terminate(reason=reason, rpc_timeout=RPC_TIMEOUT))
        except TemporalUnavailable:
            return False  # Temporal is busy. The workflow may still answer.
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # It has ended meanwhile.
        return True


def _find_fault(description: WorkflowExecutionDescription) -> str | None:
    if description.status is not WorkflowExecutionStatus.RUNNING:
        return None
    if description.workflow_type != Admission.__name__:
        return f"it is of the type {description.workflow_type}"
    if description.task_queue != RESEARCH_QUEUE:
        return f"it waits on the task queue {description.task_queue}"
    attempt = description.raw_description.pending_workflow_task.attempt
    if attempt >= _HOPELESS_ATTEMPT:
        return f"its task has failed {attempt - 1} times"
    return None
