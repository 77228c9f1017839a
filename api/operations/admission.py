"""Asking the workflow `Admission` whether more researches may begin."""

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

from api.temporal_calls import RPC_TIMEOUT, answered
from errors import TemporalUnavailable
from workflows.admission import ADMISSION_ID, Admission
from workflows.messages import AdmissionAnswer, AdmissionRequest
from workflows.policies import RESEARCH_QUEUE

_log = logging.getLogger(__name__)

# On a busy machine a worker needs a moment to count; those that ask meanwhile wait for the next
# count.
_PATIENCE: Final = timedelta(seconds=20)

# Without an answer by then, it is looked at what is to answer.
_SECONDS_UNTIL_DOUBT: Final = 2.0

# A task that a worker has failed twice will not succeed.
_FAILING_ATTEMPT: Final = 3


@dataclass(frozen=True)
class _Asking:
    request: AdmissionRequest
    answer: asyncio.Future[AdmissionAnswer]


class AdmissionDesk:
    """Asks with one update at a time; requests that arrive meanwhile go with the next one.

    Temporal accepts ten updates in flight per workflow. One for each process of the API stays below
    that, however many requests there are.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asking: list[_Asking] = []
        self._at_work: asyncio.Task[None] | None = None

    async def admit(self, operation_id: str, limit: int) -> AdmissionAnswer:
        """Return whether a research may begin; if so, a place is kept for it until it is listed.

        Raises:
            TemporalUnavailable: there is no answer.
        """
        request = AdmissionRequest(operation_id=operation_id, limit=limit)
        asking = _Asking(request, asyncio.get_running_loop().create_future())
        self._asking.append(asking)
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._answer_all())
        return await answered(asking.answer, _PATIENCE.total_seconds())

    async def _answer_all(self) -> None:
        while self._asking:
            asking, self._asking = self._asking, []
            # Some have been given up while they waited.
            asking = [each for each in asking if not each.answer.done()]
            if asking:
                await self._answer(asking)

    async def _answer(self, asking: Sequence[_Asking]) -> None:
        try:
            answers = await answered(
                self._ask([each.request for each in asking]), _PATIENCE.total_seconds()
            )
        except Exception as error:
            for each in asking:
                if not each.answer.done():
                    each.answer.set_exception(error)
        else:
            for each, answer in zip(asking, answers, strict=True):
                if not each.answer.done():
                    each.answer.set_result(answer)

    async def _ask(self, requests: list[AdmissionRequest]) -> list[AdmissionAnswer]:
        asking = asyncio.create_task(self._update(requests))
        try:
            await asyncio.wait([asking], timeout=_SECONDS_UNTIL_DOUBT)
            failed = not asking.done() or asking.exception() is not None
            if failed and await self._replace_what_cannot_answer():
                asking.cancel()
                return await self._update(requests)
            return await asking
        finally:
            asking.cancel()

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
                rpc_timeout=_PATIENCE,
            )
        except WorkflowUpdateFailedError as error:
            raise TemporalUnavailable(
                "The active researches cannot be counted; try again in a moment."
            ) from error
        except asyncio.CancelledError:
            # The SDK tells the cancel to whoever waits for the start, and complains if nobody does.
            with contextlib.suppress(asyncio.CancelledError):
                await start.workflow_handle()
            raise

    async def _replace_what_cannot_answer(self) -> bool:
        """Terminate what runs under the id of the workflow but is another one, or is broken.

        Nothing is lost with it. Only what it has admitted in the last seconds is nowhere else, and
        it has not answered for as long.
        """
        handle = self._client.get_workflow_handle(ADMISSION_ID)
        try:
            found = await answered(handle.describe(rpc_timeout=RPC_TIMEOUT))
            reason = _what_is_wrong(found)
            if reason is None:
                return False
            _log.warning("replacing the workflow %r: %s", ADMISSION_ID, reason)
            this_run = self._client.get_workflow_handle(ADMISSION_ID, run_id=found.run_id)
            await answered(this_run.terminate(reason=reason, rpc_timeout=RPC_TIMEOUT))
        except TemporalUnavailable:
            return False  # What is too busy to be looked at may still answer.
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # It has ended meanwhile; the next request starts it again.
        return True


def _what_is_wrong(found: WorkflowExecutionDescription) -> str | None:
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return None
    if found.workflow_type != Admission.__name__:
        return f"it is of the type {found.workflow_type}"
    if found.task_queue != RESEARCH_QUEUE:
        return f"it waits on the task queue {found.task_queue}"
    attempt = found.raw_description.pending_workflow_task.attempt
    if attempt >= _FAILING_ATTEMPT:
        return f"its task has failed {attempt - 1} times"
    return None
