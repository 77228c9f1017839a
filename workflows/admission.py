"""The `Admission` workflow: admits researches one at a time, so the limit is never exceeded."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field
from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.admission import ActiveQuestion, count_active
    from quant.messages.base import FrozenModel
    from workflows import policies

ADMISSION_ID = "admission"

# By then an admitted research is listed, has ended, or was never started.
_LISTED_AFTER = timedelta(seconds=30)


class AdmissionRequest(FrozenModel):
    """A request to admit a research."""

    operation_id: str
    limit: int = Field(ge=1, description="Maximum number of active researches, this one included")


class AdmissionAnswer(FrozenModel):
    """Whether it is admitted, and how many other researches are active."""

    admitted: bool
    active_count: int


@dataclass(frozen=True)
class _Asking:
    request: AdmissionRequest
    answer: asyncio.Future[AdmissionAnswer]


@workflow.defn
class Admission:
    """Remembers the latest admissions; older researches are found in Temporal's lists."""

    @workflow.init
    def __init__(self, admitted: dict[str, datetime] | None = None) -> None:
        self._admitted = admitted or {}
        self._asking: list[_Asking] = []
        self._one_at_a_time = asyncio.Lock()

    @workflow.run
    async def run(self, admitted: dict[str, datetime] | None = None) -> None:  # noqa: ARG002 - in init
        """Answer until the history is long, then continue as new."""
        await workflow.wait_condition(
            lambda: (
                workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()
            )
        )
        workflow.continue_as_new(self._admitted)

    @workflow.update
    async def admit(self, request: AdmissionRequest) -> AdmissionAnswer:
        """Admit a research if fewer than the limit are active. Idempotent."""
        asking = _Asking(request, asyncio.Future())
        self._asking.append(asking)
        async with self._one_at_a_time:
            if not asking.answer.done():
                await self._answer_all()
        return asking.answer.result()

    async def _answer_all(self) -> None:
        """Count once, and answer all pending requests in the order of their arrival."""
        asking, self._asking = self._asking, []
        ids = {each.request.operation_id for each in asking}
        try:
            active = await policies.ask(
                count_active,
                ActiveQuestion(
                    asking=sorted(ids),
                    admitted=[each for each in self._recently_admitted() if each not in ids],
                    limit=min(each.request.limit for each in asking),
                ),
                summary=f"May {len(ids)} more begin?",
            )
        except FailureError as error:
            # Fail the pending requests instead of leaving them waiting; the next one counts anew.
            for each in asking:
                each.answer.set_exception(error)
            return
        self._admitted = {each: self._admitted[each] for each in active.unlisted}
        count = active.active_count
        for each in asking:
            admitted = count < each.request.limit
            each.answer.set_result(AdmissionAnswer(admitted=admitted, active_count=count))
            if admitted:
                self._admitted[each.request.operation_id] = workflow.now()
                count += 1

    def _recently_admitted(self) -> list[str]:
        now = workflow.now()
        return [each for each, since in self._admitted.items() if now - since < _LISTED_AFTER]


@workflow.defn(name="Admission", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class LastingAdmission(Admission):
    """The same for versioned workers: it never ends, so it moves to each new version.

    An unversioned worker may not declare this behaviour, hence a separate class.
    """

    @workflow.init
    def __init__(self, admitted: dict[str, datetime] | None = None) -> None:
        super().__init__(admitted)

    @workflow.run
    async def run(self, admitted: dict[str, datetime] | None = None) -> None:
        """Run as the base class does."""
        await super().run(admitted)
