"""The `Campaign` workflow: many researches, a few at a time, under one budget."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.research import ResearchActivities
    from quant.messages.campaign import (
        CampaignRecord,
        CampaignResult,
        CampaignState,
        EvolvingMember,
        GenerationTask,
        StopReason,
    )
    from quant.messages.progress import Progress
    from quant.wording import format_count
    from workflows import policies
    from workflows.cancellation import finish_cleanup, raise_if_cancelled
    from workflows.interface.campaigns import CampaignInput
    from workflows.interface.contract import (
        BEGAN,
        CAMPAIGN_QUERY,
        OPERATION_QUERY,
        OperationInfo,
        OperationMetadata,
        OperationType,
    )
    from workflows.interface.failures import WRONG_ARGUMENTS
    from workflows.interface.ids import make_member_id
    from workflows.members import Members
    from workflows.operation import Operation

# Why running members are cancelled.
_WHY: Final[dict[StopReason, str]] = {
    "promising": "another member of the campaign is promising",
    "hours": "the time of the campaign is over",
}


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Campaign:
    """Conducts child workflows, and continues as new before its history becomes long.

    The end of a member, whatever it is, is a number here and a row of the record. Before it
    continues as new, the campaign waits for its running members: Temporal does not hand children
    over from run to run.
    """

    @workflow.init
    def __init__(self, given: CampaignInput) -> None:
        self._given = given
        self._request = given.request
        research = given.request.research
        self._operation = Operation(
            OperationType.CAMPAIGN,
            OperationMetadata(parameters={"name": given.request.name}),
            owner=research.owner,
            priority=research.priority,
            goal=given.request.name,
        )
        self._began_at = given.began_at or workflow.info().start_time
        self._operation.info.created_at = self._began_at
        self._offspring = given.offspring
        self._members = Members(given, self._operation)
        self._show()

    @workflow.run
    async def run(self, given: CampaignInput) -> CampaignResult:  # noqa: ARG002 - see init
        """Run the members. Their failures and their cancels are no failure of the campaign."""
        return await self._operation.run(self._conduct, self._record)

    @workflow.query(name=OPERATION_QUERY)
    def describe(self) -> OperationInfo:
        """Return this operation."""
        return self._operation.snapshot()

    @workflow.query(name=CAMPAIGN_QUERY)
    def describe_campaign(self) -> CampaignRecord:
        """Return how far this campaign is."""
        return self._make_record()

    @property
    def _state(self) -> CampaignState:
        return self._members.state

    async def _conduct(self) -> CampaignResult:
        clock = asyncio.create_task(self._run_out_of_time())
        try:
            await self._run_generation(clock)
            while self._state.stopped_by is None and (
                self._state.generation < self._request.generations
            ):
                await self._propose()
                await self._run_generation(clock)
        except asyncio.CancelledError:
            await finish_cleanup(self._members.stop())
            raise
        finally:
            clock.cancel()
            self._show()
        result = CampaignResult(members=self._request.members, state=self._state)
        self._operation.outcome = self._describe()
        self._operation.info.result_summary = result.model_dump(mode="json")
        return result

    async def _run_generation(self, clock: asyncio.Task[None]) -> None:
        """Run all members of the present generation, as far as the budget goes."""
        while True:
            while self._members.may_begin(self._last_number) and self._begin_next():
                pass
            self._show()
            if not self._members.running:
                if self._state.stopped_by is None and self._state.begun < self._last_number:
                    self._continue_as_new()
                return
            await workflow.wait(
                [*self._members.running, clock], return_when=asyncio.FIRST_COMPLETED
            )
            raise_if_cancelled()
            self._members.collect()
            if clock.done():
                self._members.refuse("hours")
            if self._state.stopped_by in _WHY:
                await finish_cleanup(self._members.stop(_WHY[self._state.stopped_by]))
                raise_if_cancelled()

    @property
    def _last_number(self) -> int:
        """The number of the last member of the present generation."""
        return self._request.members_per_generation * self._state.generation

    def _begin_next(self) -> bool:
        place = self._state.begun % self._request.members_per_generation
        offspring = self._offspring[place] if self._offspring else None
        return self._members.begin(self._request.get_member(place + 1, offspring))

    async def _propose(self) -> None:
        """Propose the next generation, from the development scores of the one that has ended."""
        size = self._request.members_per_generation
        first = self._state.begun - size
        members = tuple(
            EvolvingMember(
                operation_id=make_member_id(self._operation.info.operation_id, first + place + 1),
                cell=self._find_cell(place),
            )
            for place in range(size)
        )
        generation = await policies.record(
            ResearchActivities.propose_generation,
            GenerationTask(
                members=members,
                features=self._request.features,
                seed=(self._request.seeds or (0,))[0] + self._state.generation,
            ),
            summary=f"Generation {self._state.generation + 1} of {self._request.generations}",
        )
        raise_if_cancelled()
        self._offspring = generation.members
        self._members.enter_next_generation()

    def _find_cell(self, place: int) -> int:
        return self._offspring[place].cell if self._offspring else place % self._request.cells

    async def _run_out_of_time(self) -> None:
        """Return when the time of the campaign is over, or never."""
        if self._request.budget.hours is None:
            await asyncio.Event().wait()
            return
        end = self._began_at + timedelta(hours=self._request.budget.hours)
        await workflow.sleep(max(end - workflow.now(), timedelta(0)))

    def _continue_as_new(self) -> None:
        raise_if_cancelled()
        if self._given.began_at is None:
            workflow.upsert_memo({BEGAN: self._began_at.isoformat()})
        workflow.continue_as_new(
            self._given.model_copy(
                update={
                    "began_at": self._began_at,
                    "state": self._state,
                    "offspring": self._offspring,
                }
            )
        )

    def _show(self) -> None:
        """Show how far the campaign is."""
        ended, members = self._state.ended, self._request.members
        self._operation.info.progress = Progress(
            percentage=round(100.0 * ended / members, 1),
            current_step=self._describe(),
            items_processed=ended,
            items_total=members,
        )
        workflow.set_current_details(self._describe())

    def _describe(self) -> str:
        state = self._state
        parts = [
            f"{state.ended:,} of {format_count(self._request.members, 'research', 'researches')}"
        ]
        counts: list[tuple[str, int]] = [
            ("running", len(self._members.running)),
            ("promising", state.verdicts.get("promising", 0)),
            ("failed", state.failed),
            ("cancelled", state.cancelled),
        ]
        parts += [f"{count:,} {name}" for name, count in counts if count]
        if self._request.generations > 1:
            parts.append(f"generation {state.generation} of {self._request.generations}")
        if state.stopped_by is not None:
            parts.append(f"stopped by {state.stopped_by}")
        return " · ".join(parts)

    def _make_record(self) -> CampaignRecord:
        info = self._operation.snapshot()
        return CampaignRecord(
            operation_id=info.operation_id,
            name=self._request.name,
            owner=self._request.research.owner,
            status=info.status.value,
            request=self._request.model_dump(mode="json", exclude_defaults=True),
            members=self._request.members,
            members_per_generation=self._request.members_per_generation,
            state=self._state,
            error=info.error_message,
            cancellation_reason=info.cancellation_reason,
            started_at=self._began_at,
            finished_at=info.completed_at,
        )

    async def _record(self) -> None:
        await policies.gather(
            ResearchActivities.record_campaign,
            self._make_record(),
            activity_id="record",
            summary=f"Record: {self._operation.info.status.value}",
        )
