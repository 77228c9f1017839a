"""The members of a campaign: those that run, and what has become of the others."""

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.admission import MemberAdmission, admit_member
    from activities.research import ResearchActivities
    from quant.messages.campaign import MOST_NAMED, FailedMember, StopReason
    from workflows import policies
    from workflows.cancellation import finish_cleanup
    from workflows.interface import search_attributes
    from workflows.interface.campaigns import CampaignInput
    from workflows.interface.contract import (
        GOAL,
        OPERATION,
        PRIORITY,
        UNDERSTOOD,
        WARNINGS,
        ChildOperation,
        OperationStatus,
        OperationType,
        Phase,
    )
    from workflows.interface.failures import describe_failure
    from workflows.interface.ids import make_member_id
    from workflows.interface.messages import ResearchInput, ResearchRequest, ResearchResult
    from workflows.operation import Operation
    from workflows.requests.unused_fields import complete_input
    from workflows.research import Research

_LONGEST_ERROR = 200


class Members:
    """Begins researches as child workflows, and counts how they end.

    Attributes:
        state: The counts. Every change makes a new one.
    """

    def __init__(self, given: CampaignInput, operation: Operation) -> None:
        self.state = given.state
        self._budget = given.request.budget
        self._parallel = given.request.parallel
        self._stops_when_promising = given.request.stop_when == "promising"
        self._max_active = given.max_active
        self._last_of_run = given.state.begun + given.members_per_run
        self._operation = operation
        self._running: dict[int, asyncio.Task[None]] = {}
        self._why: str | None = None

    @property
    def running(self) -> Sequence[asyncio.Task[None]]:
        """The tasks of the members that have not ended."""
        return list(self._running.values())

    def may_begin(self, last: int) -> bool:
        """Return whether one more member may begin now.

        Args:
            last: Number of the last member of the present generation.
        """
        return (
            self.state.stopped_by is None
            and len(self._running) < self._parallel
            and self.state.begun < min(last, self._last_of_run)
        )

    def begin(self, request: ResearchRequest) -> bool:
        """Begin the next member, or note that the budget has no room for it.

        Returns:
            Whether it has begun.
        """
        trials = 1 if request.strategy is not None else request.trials
        cost = (request.max_cost or 0.0) if request.designer == "llm" else 0.0
        if exhausted := self._find_exhausted(trials, cost):
            # Those that run may spend less than they are allowed to.
            if exhausted != "cost" or not self._running:
                self.refuse(exhausted)
            return False
        number = self.state.begun + 1
        self._update(begun=number, trials=self.state.trials + trials, cost=self.state.cost + cost)
        self._running[number] = asyncio.create_task(self._run(number, request, cost))
        return True

    def refuse(self, reason: StopReason) -> None:
        """Begin no further member."""
        if self.state.stopped_by is None:
            self._update(stopped_by=reason)

    def collect(self) -> None:
        """Forget the members that have ended."""
        self._running = {number: task for number, task in self._running.items() if not task.done()}

    async def stop(self, why: str | None = None) -> None:
        """Cancel all running members, and wait until they have stopped.

        Args:
            why: The reason; by default that of the cancel of the campaign.
        """
        self._why = why
        for each in self._running.values():
            each.cancel()
        if self._running:
            await workflow.wait(self.running)
        self.collect()

    def enter_next_generation(self) -> None:
        """Count the next generation."""
        self._update(generation=self.state.generation + 1)

    def _find_exhausted(self, trials: int, cost: float) -> StopReason | None:
        """Return the part of the budget that has no room for one more member."""
        budget, state = self._budget, self.state
        if budget.researches is not None and state.begun >= budget.researches:
            return "researches"
        if budget.trials is not None and state.trials + trials > budget.trials:
            return "trials"
        if budget.cost is not None and cost and state.cost + cost > budget.cost:
            return "cost"
        return None

    async def _run(self, number: int, request: ResearchRequest, reserved: float) -> None:
        """Run one member to its end. Nothing that happens to it is raised."""
        member_id = make_member_id(self._operation.info.operation_id, number)
        child = ChildOperation(
            operation_id=member_id,
            operation_type=OperationType.RESEARCH,
            status=OperationStatus.RUNNING,
            started_at=workflow.now(),
        )
        self._operation.info.children.append(child)
        try:
            if self._max_active is not None:
                await policies.wait_for_admission(
                    admit_member,
                    MemberAdmission(
                        operation_id=member_id,
                        limit=self._max_active,
                        task_queue=policies.RESEARCH_QUEUE,
                    ),
                    summary=f"Wait until {member_id} may begin",
                )
            self._note_result(member_id, await self._conduct(member_id, request))
        except (Exception, asyncio.CancelledError) as error:
            self._note_failure(member_id, error)
        self._operation.info.children.remove(child)
        if reserved:
            await finish_cleanup(self._settle(member_id, reserved))

    async def _conduct(self, member_id: str, request: ResearchRequest) -> ResearchResult:
        argument = complete_input(ResearchInput.of(request))
        info = self._operation.info
        understood = argument.understood.model_dump(mode="json", exclude_defaults=True)
        memo: dict[str, Any] = {
            GOAL: argument.goal,
            PRIORITY: info.priority,
            OPERATION: {},
            UNDERSTOOD: understood,
        }
        if argument.warnings:
            memo[WARNINGS] = list(argument.warnings)
        return await policies.run_child_workflow(
            Research.run,
            argument,
            child_id=member_id,
            task_queue=policies.RESEARCH_QUEUE,
            attributes=search_attributes.make_pairs(
                operation_type=OperationType.RESEARCH,
                parent_operation_id=info.operation_id,
                phase=Phase.QUEUED,
                symbol=argument.symbol,
                owner=info.owner,
            ),
            memo=memo,
            summary=argument.headline,
            priority=self._operation.priority,
            get_reason=lambda: self._why or workflow.cancellation_reason(),
        )

    def _note_result(self, member_id: str, result: ResearchResult) -> None:
        verdict, promising = result.verdict, self.state.promising
        if verdict == "promising":
            promising = (*promising, member_id)[:MOST_NAMED]
        counted = {**self.state.verdicts, verdict: self.state.verdicts.get(verdict, 0) + 1}
        self._update(completed=self.state.completed + 1, verdicts=counted, promising=promising)
        if verdict == "promising" and self._stops_when_promising:
            self.refuse("promising")

    def _note_failure(self, member_id: str, error: BaseException) -> None:
        if is_cancelled_exception(error):
            self._update(cancelled=self.state.cancelled + 1)
            return
        failed = FailedMember(
            operation_id=member_id, error=describe_failure(error)[:_LONGEST_ERROR]
        )
        failures = (*self.state.failures, failed)[:MOST_NAMED]
        self._update(failed=self.state.failed + 1, failures=failures)

    async def _settle(self, member_id: str, reserved: float) -> None:
        """Count what a member has spent, instead of what it was allowed to.

        While nobody can say it, what was reserved counts.
        """
        try:
            spent = await policies.read(
                ResearchActivities.read_cost, member_id, summary=f"Cost of {member_id}"
            )
        except ActivityError:
            workflow.logger.warning("the cost of %s is unknown", member_id)
            return
        self._update(cost=max(0.0, self.state.cost - reserved + spent))

    def _update(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
