"""Conducts a search that is cut: round after round, the slices of a round side by side."""

import asyncio
from typing import Final

from temporalio import workflow
from temporalio.common import Priority

with workflow.unsafe.imports_passed_through():
    from activities.jobs import DesignTask, RoundTask, SearchEndTask, SliceTask
    from activities.research import ResearchActivities
    from quant.messages.progress import Progress
    from quant.messages.search import (
        BegunSearch,
        ProposedRound,
        RoundInput,
        SearchEnd,
        SliceInput,
        SliceResult,
    )
    from quant.messages.steps import DesignResult
    from quant.search.plan import MOST_SLOTS, SearchPlan, Span
    from quant.search.progress import Scale
    from workflows import policies
    from workflows.cancellation import finish_cleanup, raise_if_cancelled
    from workflows.interface.contract import OperationType
    from workflows.interface.ids import SliceId, make_round_id, make_search_id
    from workflows.interface.progress import (
        SCORED_BEFORE,
        choose_best,
        describe_sliced_search,
        find_progress,
        read_best,
    )
    from workflows.operation import Operation


# Temporal's limit, in bytes.
LONGEST_FAIRNESS_KEY: Final = 64

_IN_ORDER_PATCH: Final = "slices-in-order"

# A history that is longer takes no more candidates of a language model over. The design then scores
# them by itself, which leaves no events. Temporal's limit is 51,200.
_MOST_EVENTS: Final = 10_000


async def conduct_design(
    operation: Operation, task: DesignTask, plan: SearchPlan, method: str
) -> DesignResult:
    """Design a strategy: in one activity, or in slices if the search is large.

    A language model is asked in the same activity. It ends when the model has proposed candidates
    that are many, and continues when they are scored.
    """
    while True:
        short = workflow.info().get_current_history_length() < _MOST_EVENTS
        hands_over = short and task.language_model is not None
        answer = await policies.run_compute(
            ResearchActivities.design,
            task.model_copy(update={"hands_over": hands_over}),
            summary=f"Design: {method}",
            priority=operation.priority,
        )
        if isinstance(answer, DesignResult):
            return answer
        raise_if_cancelled()
        if isinstance(answer, BegunSearch):
            return await SlicedSearch(operation, task, plan, answer).run()
        await SlicedSearch(operation, task, plan, answer.begun).score_proposals(answer)
        raise_if_cancelled()


class SlicedSearch:
    """A search that was begun and goes on in slices.

    Args:
        operation: The research. Its running step shows how far the search is.
        task: What to search for.
        plan: How to cut it.
        begun: What the first activity has found.
    """

    def __init__(
        self, operation: Operation, task: DesignTask, plan: SearchPlan, begun: BegunSearch
    ) -> None:
        self._operation = operation
        self._task = task
        self._plan = plan
        self._begun = begun
        self._scored = 0
        self._before = 0
        self._best: float | None = None
        year = begun.periods_per_year
        self._scale = None if year is None else Scale.of(begun.data.bars, year)

    async def run(self) -> DesignResult:
        """Score all rounds that no earlier run has finished, and return the best candidate."""
        bars = self._begun.data.work
        rounds = self._plan.cut_into_rounds(self._task.input.trials, bars)
        self._scored = self._before = sum(
            len(each) for each in rounds[: self._begun.finished_rounds]
        )
        for number, each in enumerate(rounds, start=1):
            if number <= self._begun.finished_rounds:
                continue
            await self._conduct_round(number, each)
            raise_if_cancelled()
        return await policies.gather(
            ResearchActivities.conclude_search,
            SearchEndTask(
                operation_id=self._task.operation_id,
                input=SearchEnd(begun=self._begun, rounds=len(rounds)),
            ),
            activity_id=make_search_id(self._task.input.trials),
            summary=f"Best of {self._task.input.trials:,} trials",
        )

    async def score_proposals(self, proposed: ProposedRound) -> None:
        """Score what a language model has proposed in one answer."""
        await self._conduct_round(proposed.number, Span(proposed.first, proposed.last))

    async def _conduct_round(self, number: int, whole: Span) -> None:
        self._scored = whole.first - 1
        slices = self._plan.cut_into_slices(whole, self._begun.data.work)
        await self._score_round(number, whole, slices)
        raise_if_cancelled()
        await self._gather_round(number, whole, slices)

    @property
    def _priority(self) -> Priority:
        """The priority of a slice.

        The slices of an owner have a share of their own. So the other work of the same owner does
        not wait for a whole round.
        """
        usual = self._operation.priority
        share = f"search:{usual.fairness_key or ''}"[:LONGEST_FAIRNESS_KEY]
        return Priority(priority_key=usual.priority_key, fairness_key=share)

    async def _score_round(self, number: int, whole: Span, slices: list[Span]) -> None:
        """Score all slices. If one fails for good, the others are stopped.

        Tasks that are scheduled together begin in any order. So the last slices of a round, which
        are short, are scheduled one by one as others finish: no slot waits for a long one at last.
        """
        in_order = len(slices) > MOST_SLOTS and workflow.patched(_IN_ORDER_PATCH)
        places = asyncio.Semaphore(MOST_SLOTS if in_order else len(slices))
        scoring = [
            asyncio.create_task(self._score_slice(number, whole, each, places)) for each in slices
        ]
        try:
            await workflow.wait(scoring, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            await self._stop(scoring)
            raise
        failed = [each for each in scoring if each.done() and each.exception() is not None]
        if failed:
            await self._stop(scoring)
            await failed[0]

    async def _score_slice(
        self, number: int, whole: Span, part: Span, places: asyncio.Semaphore
    ) -> None:
        try:
            async with places:
                result = await policies.run_compute(
                    ResearchActivities.score_slice,
                    SliceTask(
                        operation_id=self._task.operation_id,
                        input=SliceInput(round_number=number, first=part.first, last=part.last),
                    ),
                    activity_id=str(
                        SliceId(part.first, part.last, whole.last, self._task.input.trials)
                    ),
                    summary=f"Trials {part.first:,} to {part.last:,}",
                    priority=self._priority,
                )
        except (Exception, asyncio.CancelledError) as error:
            stopped = find_progress(error)
            self._note(stopped.items_processed if stopped else 0, stopped)
            raise
        self._note(len(part), result)

    async def _stop(self, scoring: list[asyncio.Task[None]]) -> None:
        """Cancel all slices, and wait until they have stopped."""
        for each in scoring:
            each.cancel()
        await finish_cleanup(workflow.wait(scoring))

    async def _gather_round(self, number: int, whole: Span, slices: list[Span]) -> None:
        result = await policies.gather(
            ResearchActivities.gather_round,
            RoundTask(
                operation_id=self._task.operation_id,
                input=RoundInput(
                    number=number, starts=tuple(each.first for each in slices), last=whole.last
                ),
            ),
            activity_id=make_round_id(whole.last, self._task.input.trials),
            summary=f"Gather {len(slices)} slices of round {number}",
        )
        self._note(0, result)

    def _note(self, scored: int, found: SliceResult | Progress | None) -> None:
        """Note that more trials are scored, and how good the best of them is."""
        self._scored += scored
        if isinstance(found, SliceResult):
            self._best = choose_best(self._best, found.best_sharpe)
        elif found is not None:
            self._best = choose_best(self._best, read_best(found))
        child = self._operation.info.running_child
        if child is not None and child.operation_type is OperationType.DESIGN:
            found = describe_sliced_search(
                self._scored, self._task.input.trials, self._best, self._scale
            )
            context = {**found.context, SCORED_BEFORE: self._before}
            child.progress = found.model_copy(update={"context": context})
