"""The `Admission` workflow: admits researches one at a time, so the limit is never exceeded."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from pydantic import AwareDatetime

    from activities.admission import ADMISSION, ActiveQuestion, count_active
    from workflows import policies
    from workflows.interface.admission import AdmissionAnswer, AdmissionRequest
    from workflows.interface.failures import WRONG_ARGUMENTS

# After this time an admitted research is in Temporal's lists, or was never started.
_LISTED_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class _Batch:
    """Requests of one update. They are answered together."""

    requests: list[AdmissionRequest]
    answers: asyncio.Future[list[AdmissionAnswer]]


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Admission:
    """Remembers the latest admissions. Older researches are in Temporal's lists."""

    @workflow.init
    def __init__(self, admitted: dict[str, AwareDatetime] | None = None) -> None:
        self._admitted = admitted or {}
        self._waiting: list[_Batch] = []
        self._one_at_a_time = asyncio.Lock()

    @workflow.run
    async def run(self, admitted: dict[str, AwareDatetime] | None = None) -> None:  # noqa: ARG002 - see init
        """Answer updates until the history is long, then continue as new."""
        await workflow.wait_condition(
            lambda: (
                workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()
            )
        )
        workflow.continue_as_new(self._admitted)

    @workflow.update
    async def admit(self, request: AdmissionRequest) -> AdmissionAnswer:
        """Admit a research if fewer than the limit are active. Idempotent.

        Earlier versions of the API send this update.
        """
        [answer] = await self._answer([request])
        return answer

    @workflow.update
    async def admit_all(self, requests: list[AdmissionRequest]) -> list[AdmissionAnswer]:
        """Admit as many researches as the limit allows, in this order. Idempotent."""
        if not requests:
            return []
        return await self._answer(requests)

    async def _answer(self, requests: list[AdmissionRequest]) -> list[AdmissionAnswer]:
        batch = _Batch(requests, asyncio.Future())
        self._waiting.append(batch)
        async with self._one_at_a_time:
            if not batch.answers.done():
                await self._answer_all()
        return batch.answers.result()

    async def _answer_all(self) -> None:
        """Count once, and answer all waiting requests in the order of their arrival."""
        batches, self._waiting = self._waiting, []
        requests = [request for each in batches for request in each.requests]
        ids = {request.operation_id for request in requests}
        try:
            active = await policies.read_temporal(
                count_active,
                ActiveQuestion(
                    asking=sorted(ids),
                    admitted=[each for each in self._recently_admitted() if each not in ids],
                    limit=min(request.limit for request in requests),
                ),
                summary=f"May {len(ids)} more begin?",
            )
        except FailureError as error:
            # Fail these requests instead of leaving them waiting. The next request counts again.
            for each in batches:
                each.answers.set_exception(error)
            return
        self._admitted = {each: self._admitted[each] for each in active.unlisted}
        count = active.active_count
        for each in batches:
            answers = []
            for request in each.requests:
                admitted = count < request.limit
                answers.append(AdmissionAnswer(admitted=admitted, active_count=count))
                if admitted:
                    self._admitted[request.operation_id] = workflow.now()
                    count += 1
            each.answers.set_result(answers)

    def _recently_admitted(self) -> list[str]:
        now = workflow.now()
        return [each for each, since in self._admitted.items() if now - since < _LISTED_AFTER]


@workflow.defn(
    name=ADMISSION,
    versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    failure_exception_types=WRONG_ARGUMENTS,
)
class LastingAdmission(Admission):
    """The same workflow for versioned workers. It never ends, so it moves to every new version.

    An unversioned worker must not declare this behaviour. Hence the separate class.
    """

    @workflow.init
    def __init__(self, admitted: dict[str, AwareDatetime] | None = None) -> None:
        super().__init__(admitted)

    @workflow.run
    async def run(self, admitted: dict[str, AwareDatetime] | None = None) -> None:
        """Run as the base class does."""
        await super().run(admitted)
