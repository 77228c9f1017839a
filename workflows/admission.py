"""The `Admission` workflow: admits researches one after another, so that no limit is overshot."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field
from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.admission import ActiveQuestion, count_active
    from quant.spec import Model
    from workflows import policies

ADMISSION_ID = "admission"

# By then a research that was admitted is in the lists, has ended, or was never started.
_LISTED_AFTER = timedelta(seconds=30)


class AdmissionRequest(Model):
    """May this research become active?"""

    operation_id: str
    limit: int = Field(ge=1, description="Of active researches, this one included")


class AdmissionAnswer(Model):
    """Whether it may, and how many others are active."""

    admitted: bool
    active_count: int


@dataclass(frozen=True)
class _Asking:
    request: AdmissionRequest
    answer: asyncio.Future[AdmissionAnswer]


@workflow.defn
class Admission:
    """Knows whom it has admitted a moment ago; all others it finds in Temporal's lists."""

    @workflow.init
    def __init__(self, admitted: dict[str, datetime] | None = None) -> None:
        self._admitted = admitted or {}
        self._asking: list[_Asking] = []
        self._one_at_a_time = asyncio.Lock()

    @workflow.run
    async def run(self, admitted: dict[str, datetime] | None = None) -> None:  # noqa: ARG002 - in init
        """Answer until the history is long, then go on with a new one."""
        await workflow.wait_condition(
            lambda: (
                workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()
            )
        )
        workflow.continue_as_new(self._admitted)

    @workflow.update
    async def admit(self, request: AdmissionRequest) -> AdmissionAnswer:
        """Admit a research if fewer than the limit are active; asking again changes nothing."""
        asking = _Asking(request, asyncio.Future())
        self._asking.append(asking)
        async with self._one_at_a_time:
            if not asking.answer.done():
                await self._answer_all()
        return asking.answer.result()

    async def _answer_all(self) -> None:
        """Count once, and answer all who have asked by now in the order in which they came."""
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
            # Nobody waits for an answer that will not come; who asks next is counted for anew.
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
    """Of workers of several versions: it never ends, so it moves on with each of them.

    A worker without a version may not say so, hence a class of its own.
    """

    @workflow.init
    def __init__(self, admitted: dict[str, datetime] | None = None) -> None:
        super().__init__(admitted)

    @workflow.run
    async def run(self, admitted: dict[str, datetime] | None = None) -> None:
        """Do the same."""
        await super().run(admitted)
