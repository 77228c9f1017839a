"""The design of a strategy: by a search, or by a language model whose candidates are scored here.

What a model proposes in one answer is a round of a search. Few candidates are scored within the
activity. It hands many over to the workflow, which has them scored in slices and comes back. The
model's answers and all scores are artifacts, so the conversation continues where it was.
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from temporalio import activity

from activities import jobs
from activities.heartbeat import send_heartbeats
from activities.search import SearchActivities, fetch_artifact
from activities.step import translate_errors
from activities.trial_recorder import record_trials
from errors import BudgetExhausted, CheckpointMismatch
from quant.messages.artifacts import Artifact, name_proposals, name_round, parse_artifact
from quant.messages.data import DataSource
from quant.messages.progress import WAITS_FOR, Progress, ReportProgress
from quant.messages.record.trials import EarlierTrials, ReportTrial, TrialOnBars
from quant.messages.search import (
    BegunSearch,
    DesignOutcome,
    ProposedRound,
    RoundInput,
    SliceInput,
    SliceResult,
)
from quant.messages.steps import DesignResult
from quant.search.plan import Span
from quant.search.records import Proposals, RoundRecord, parse_round, parse_search
from storage.artifacts import OperationArtifacts

if TYPE_CHECKING:
    from activities.llm.researcher import Researcher

# A search starts from so many earlier trials. More cost time and do not improve it.
_MOST_EARLIER_TRIALS: Final = 50
# Rounds of a small search are small. More processes would wait for each other, and take the slots
# of other work.
_MOST_HELPERS: Final = 1

_SEARCHED_INSTEAD: Final = "The strategy was found by search instead."


class _HandedOver(Exception):
    """The workflow is to have a round scored."""

    def __init__(self, proposed: ProposedRound) -> None:
        super().__init__()
        self.proposed = proposed


class DesignActivities(SearchActivities):
    """The first step of a research."""

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult | BegunSearch | ProposedRound:
        """Find a strategy, or begin a search that is too large for one activity.

        All candidates are recorded, even if the design fails.
        """
        with translate_errors():
            async with record_trials(self._ledger, task.operation_id) as report_trial:
                if task.language_model is None:
                    return await self._search(task, report_trial)
                return await self._ask_for_design(task, task.language_model, report_trial)

    def _load_researcher(self) -> "Researcher":
        # Its libraries take a second to load. Only a language model needs them.
        from activities.llm.researcher import Researcher  # noqa: PLC0415

        return Researcher.of(self._settings, self._ledger)

    async def _search(
        self, task: jobs.DesignTask, report_trial: ReportTrial
    ) -> DesignResult | BegunSearch:
        if task.memory:
            task = await self._add_earlier_trials(task)
        outcome = await self._run(jobs.design, task, DesignOutcome, report_trial, _MOST_HELPERS)
        return outcome.answer

    async def _search_instead(
        self, task: jobs.DesignTask, report_trial: ReportTrial, why: str
    ) -> DesignResult | BegunSearch:
        found = await self._search(task, report_trial)
        return found.model_copy(update={"note": f"{why} {_SEARCHED_INSTEAD}"})

    async def _ask_for_design(
        self, task: jobs.DesignTask, model: jobs.LanguageModel, report_trial: ReportTrial
    ) -> DesignResult | BegunSearch | ProposedRound:
        artifacts = self._context(task).open_artifacts()
        before = await artifacts.fetch(Artifact.SEARCH)
        if before is not None and not parse_search(before).proposed:
            return await self._search_instead(task, report_trial, "The budget was used up.")
        researcher = await asyncio.to_thread(self._load_researcher)
        try:
            async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
                begun = await self._begin_proposals(task, report)
                rounds = await _load_rounds(begun, artifacts)
                for trial in (trial for each in rounds for trial in each.trials):
                    # The attempt that has scored them may have ended before it could record them.
                    report_trial(TrialOnBars(data=begun.data.source, trial=trial))
                return await researcher.design(
                    task,
                    model,
                    artifacts,
                    begun=begun,
                    rounds=rounds,
                    score_round=partial(self._score_round, task, begun, report_trial, report),
                    report=report,
                )
        except _HandedOver as handed_over:
            return handed_over.proposed
        except BudgetExhausted as error:
            return await self._search_instead(task, report_trial, error.message)

    async def _begin_proposals(self, task: jobs.DesignTask, report: ReportProgress) -> BegunSearch:
        return await self._compute.run(
            jobs.begin_proposals,
            task,
            self._context(task),
            returns=BegunSearch,
            report=report,
            kind=f"{jobs.begin_proposals.__name__} of {task.bars_name}",
        )

    async def _score_round(
        self,
        task: jobs.DesignTask,
        begun: BegunSearch,
        report_trial: ReportTrial,
        report: ReportProgress,
        number: int,
        proposals: Proposals,
    ) -> RoundRecord:
        """Score what a model has proposed in one answer.

        Raises:
            _HandedOver: The workflow is to do it, because it takes long.
            CheckpointMismatch: An earlier attempt has had other candidates in this round.
        """
        artifacts = self._context(task).open_artifacts()
        content = proposals.model_dump_json().encode()
        before = await artifacts.fetch(name_proposals(number))
        if before not in (None, content):
            raise CheckpointMismatch(
                f"The candidates of round {number} belong to another conversation. Start over "
                "with `ktrdr retry`."
            )
        await artifacts.store(name_proposals(number), content)
        span = Span(proposals.first, proposals.last)
        if _is_large(task, span, begun):
            raise _HandedOver(
                ProposedRound(begun=begun, number=number, first=span.first, last=span.last)
            )
        part = jobs.SliceTask(
            operation_id=task.operation_id,
            input=SliceInput(round_number=number, first=span.first, last=span.last),
        )
        await self._compute.run(
            jobs.score_trials,
            part,
            self._context(part),
            returns=SliceResult,
            report=lambda round_: report(_place(round_, span.first - 1, task.input.trials)),
            report_trial=report_trial,
            kind=f"{jobs.score_trials.__name__} of {part.bars_name}",
        )
        whole = RoundInput(number=number, starts=(span.first,), last=span.last)
        return parse_round(await self._gather(whole, artifacts), name_round(number))

    async def _add_earlier_trials(self, task: jobs.DesignTask) -> jobs.DesignTask:
        """Add earlier trials to the task. A further attempt gets the same ones."""
        context = self._context(task)
        content = await context.open_artifacts().fetch(Artifact.MEMORY)
        if content is None:
            if task.memory_of is not None:
                content = await asyncio.to_thread(
                    context.read_artifact, task.memory_of, Artifact.MEMORY
                )
            else:
                earlier = await self._ledger.ask(self._find_earlier_trials, task.input.data)
                content = earlier.model_dump_json().encode()
            await context.open_artifacts().store(Artifact.MEMORY, content)
        earlier = parse_artifact(EarlierTrials, content, Artifact.MEMORY)
        return task.model_copy(update={"input": task.input.model_copy(update={"earlier": earlier})})

    def _find_earlier_trials(self, source: DataSource) -> EarlierTrials:
        data_hash = source.content_hash or self._ledger.experiments.get_newest_data_hash(
            source.symbol, source.timeframe
        )
        trials = self._ledger.trials.find_best(data_hash, _MOST_EARLIER_TRIALS) if data_hash else []
        return EarlierTrials(data_hash=data_hash or "", trials=tuple(trials))


def _place(step: Progress, before: int, limit: int) -> Progress:
    """Return the progress of a round as that of the design.

    Args:
        step: The progress of the round.
        before: Number of the candidates of earlier rounds.
        limit: How many the model may propose.
    """
    done = before + step.items_processed
    return step.model_copy(
        update={
            # The answer of the model is still missing when all are scored.
            "percentage": 100.0 * done / (limit + 1),
            "current_step": step.current_step
            if WAITS_FOR in step.context
            else f"Candidate {done} of {limit}",
            "items_processed": done,
            "items_total": limit,
        }
    )


def _is_large(task: jobs.DesignTask, span: Span, begun: BegunSearch) -> bool:
    """Return whether a round is for the workflow to have scored. One candidate is one slice."""
    if not task.hands_over or task.plan is None or len(span) == 1:
        return False
    return not task.plan.is_small(len(span), begun.data.work)


async def _load_rounds(begun: BegunSearch, artifacts: OperationArtifacts) -> list[RoundRecord]:
    """Return the rounds that have been scored."""
    names = [name_round(number) for number in range(1, begun.finished_rounds + 1)]
    return [parse_round(await fetch_artifact(artifacts, name), name) for name in names]
