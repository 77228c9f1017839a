"""The `Watch` workflow: holds a strategy that was found against the bars that come afterwards.

It sleeps until its next look is due or somebody says that bars have come. Each look is one compute
activity, whose results are an artifact. Notices are workflows of their own, so that nobody who is
away delays the next look. The history is cut by continuing as new, so that a watch
lasts for years.
"""

import contextlib
from typing import ClassVar, Final

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.jobs import WatchTask
    from activities.watch import WatchActivities
    from quant.messages.watch import Notice, Standing, WatchState, WatchSummary
    from workflows import policies
    from workflows.cancellation import raise_if_cancelled
    from workflows.interface.failures import WRONG_ARGUMENTS, describe_failure, get_reason
    from workflows.interface.watches import LOOK_NOW, WATCH, WATCH_WORKFLOW
    from workflows.notification import tell

_NOTICES_PATCH: Final = "notices-apart"


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Watch:
    """Looks, sleeps, and looks again, until the strategy is withdrawn or the watch is cancelled."""

    most_events: ClassVar[int] = 2_000

    @workflow.init
    def __init__(self, state: WatchState) -> None:
        self._state = state
        self._look_now = False

    @workflow.run
    async def run(self, state: WatchState) -> WatchState:  # noqa: ARG002 - see init
        """Watch until the strategy is withdrawn."""
        raise_if_cancelled()
        while True:
            await self._look()
            raise_if_cancelled()
            if self._state.summary.standing == "withdrawn":
                return self._state
            await self._sleep()
            raise_if_cancelled()
            # The next run begins with the look that is due now.
            if self._is_long():
                workflow.continue_as_new(self._state)

    @workflow.signal(name=LOOK_NOW)
    def look_now(self) -> None:
        """Look for new bars at once."""
        self._look_now = True

    @workflow.query(name=WATCH)
    def describe(self) -> WatchState:
        """Return where it stands."""
        return self._state

    async def _look(self) -> None:
        self._look_now = False
        before = self._state.summary.standing
        try:
            summary = await policies.run_compute(
                WatchActivities.look,
                WatchTask(operation_id=workflow.info().workflow_id, input=self._state.strategy),
                summary=f"New bars of {self._state.strategy.symbol}?",
            )
        except ActivityError as error:
            raise_if_cancelled()
            if self._state.summary.begins_after is None:
                # It has nothing to begin with, and never will.
                raise ApplicationError(describe_failure(error), type=get_reason(error)) from error
            self._keep(problem=describe_failure(error))
            return
        raise_if_cancelled()
        self._keep(summary=summary, problem=None)
        for standing in _list_decisions(before, summary):
            await self._tell(standing, summary)

    async def _tell(self, standing: Standing, summary: WatchSummary) -> None:
        notice = _make_notice(self._state, standing, summary)
        if workflow.patched(_NOTICES_PATCH):
            await tell(notice, standing)
            return
        # Runs that began before wait until everybody has taken it.
        try:
            await policies.notify(WatchActivities.notify, notice)
        except ActivityError as error:
            raise_if_cancelled()
            self._keep(problem=describe_failure(error))

    def _keep(self, **changes: object) -> None:
        now = workflow.now()
        began = self._state.began_at or now
        self._state = self._state.model_copy(
            update={"looked_at": now, "began_at": began, **changes}
        )
        workflow.upsert_memo({WATCH: self._state})
        summary = self._state.summary
        workflow.set_current_details(
            f"**{summary.standing}** · {summary.bars:,} bars · evidence {summary.evidence:.2f}, "
            f"against {summary.counter_evidence:.2f}"
        )

    async def _sleep(self) -> None:
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._look_now,
                timeout=policies.get_time_between_looks(self._state.strategy.timeframe),
            )

    def _is_long(self) -> bool:
        this = workflow.info()
        return (
            this.is_continue_as_new_suggested()
            or this.get_current_history_length() >= self.most_events
        )


@workflow.defn(
    name=WATCH_WORKFLOW,
    versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    failure_exception_types=WRONG_ARGUMENTS,
)
class LastingWatch(Watch):
    """The same workflow for versioned workers. It lasts, so it moves to every new version.

    An unversioned worker must not declare this behaviour. Hence the separate class.
    """

    @workflow.init
    def __init__(self, state: WatchState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: WatchState) -> WatchState:
        """Run as the base class does."""
        return await super().run(state)


def _list_decisions(before: Standing, summary: WatchSummary) -> list[Standing]:
    """Return what was decided by a look. Many bars at once may confirm and withdraw."""
    decisions: list[Standing] = []
    if before == "watching" and summary.confirmed_at is not None:
        decisions.append("confirmed")
    if before != "withdrawn" and summary.standing == "withdrawn":
        decisions.append("withdrawn")
    return decisions


def _make_notice(state: WatchState, standing: Standing, summary: WatchSummary) -> Notice:
    strategy = state.strategy
    when = summary.confirmed_at if standing == "confirmed" else summary.withdrawn_at
    return Notice(
        title=f"{strategy.spec.name} on {strategy.symbol} {strategy.timeframe}: {standing}",
        body=(
            f"Decided by the bar of {when}, after {summary.bars:,} bars that came since the watch "
            f"began. Evidence for its alpha {summary.evidence:.1f}, against it "
            f"{summary.counter_evidence:.1f}; 20 decides.\n\n{strategy.research_id}"
        ),
    )
