"""The activities of a research: the side effects around the jobs in `activities.jobs`."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError

from activities import jobs
from activities.compute import Compute
from activities.compute_process import Job
from activities.heartbeat import send_heartbeats
from activities.trial_recorder import record_trials
from errors import (
    ArtifactsUnavailable,
    BudgetExhausted,
    ComputeDied,
    KtrdrError,
    LedgerUnavailable,
    Unexpected,
)
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.base import FrozenModel
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestResult,
    CandidateInput,
    CandidateScore,
    DesignResult,
    TrainingResult,
)
from quant.messages.strategy import StrategySpec
from quant.messages.trials import EarlierTrials, ReportTrial, Trial, TrialOnBars
from quant.strategy.files import load_strategy
from quant.versions import list_versions
from settings import Settings
from storage.ledger import Ledger
from storage.records import Experiment

if TYPE_CHECKING:
    from activities.llm.researcher import Researcher

_log = logging.getLogger(__name__)

_Task = TypeVar("_Task", bound=jobs.Task)
_Result = TypeVar("_Result", bound=FrozenModel)

_TRANSIENT = frozenset({ComputeDied.reason, ArtifactsUnavailable.reason, LedgerUnavailable.reason})
# A search starts from so many earlier trials. More cost time and do not improve it.
_MOST_EARLIER_TRIALS = 50


class ResearchActivities:
    """Design, training, backtest and assessment, and their record in the ledger.

    Args:
        compute: Runs the jobs.
        ledger: The record.
        settings: Directories, the artifact store and language models.
        cancels_are_pushed: Whether the server pushes a cancel to this worker at once.
    """

    def __init__(
        self,
        *,
        compute: Compute,
        ledger: Ledger,
        settings: Settings,
        cancels_are_pushed: bool = False,
    ) -> None:
        self._compute = compute
        self._ledger = ledger
        self._settings = settings
        self._cancels_are_pushed = cancels_are_pushed

    @activity.defn
    def load_strategy(self, name: str) -> StrategySpec:
        """Read a strategy file by its name."""
        with translate_errors():
            return load_strategy(name, self._settings.strategy_dir)

    @activity.defn
    async def design(self, task: jobs.DesignTask) -> DesignResult:
        """Find a strategy. All candidates are recorded, even if the design fails."""
        with translate_errors():
            async with record_trials(self._ledger, task.operation_id) as report_trial:
                if task.language_model is None:
                    return await self._search(task, report_trial)
                return await self._ask_for_design(task, task.language_model, report_trial)

    @activity.defn
    async def train(self, task: jobs.TrainingTask) -> TrainingResult:
        """Train the model, and count its strategy as a trial."""
        with translate_errors():
            result = await self._run(jobs.train, task, TrainingResult)
            fingerprint = task.input.spec.trial_fingerprint(task.input.seed)
            trial = Trial(number=0, fingerprint=fingerprint, sharpe=None, parameters={})
            trials = [TrialOnBars(data=result.data.source, trial=trial)]
            await self._ledger.ask(self._ledger.trials.record, task.operation_id, trials)
            return result

    @activity.defn
    async def backtest(self, task: jobs.BacktestTask) -> BacktestResult:
        """Count the look at the holdout, and trade it with the trained model."""
        with translate_errors():
            await self._ledger.ask(
                self._ledger.looks.record,
                task.operation_id,
                task.input.data,
                fingerprint=task.input.spec.fingerprint(),
                model_sha256=task.input.model_sha256,
            )
            return await self._run(jobs.backtest, task, BacktestResult)

    @activity.defn
    async def assessment(self, task: jobs.AssessmentTask) -> AssessmentResult:
        """Assess the results, deflated by all trials ever made on these bars."""
        with translate_errors():
            if not task.counted:
                counted = await self._ledger.ask(self._add_counts, task.input)
                task = task.model_copy(update={"input": counted})
            result = await self._run(jobs.assess, task, AssessmentResult)
            if task.language_model is not None:
                result = await self._ask_for_comment(task, task.language_model, result)
            if not task.counted:
                await self._ledger.ask(self._keep_hypotheses, task.input, result)
            return result

    @activity.defn
    def record_experiment(self, experiment: Experiment) -> None:
        """Record the outcome of a research in the ledger, with its cost and library versions."""
        with translate_errors():
            cost = self._ledger.spending.get_cost(experiment.operation_id)
            additions = {"cost": cost, "versions": list_versions()}
            self._ledger.experiments.record(experiment.model_copy(update=additions))

    @activity.defn
    async def cancel_own_workflow(self) -> None:
        """Ask Temporal to cancel the workflow that this activity belongs to."""
        this = activity.info()
        client = activity.client()
        await client.get_workflow_handle(
            this.workflow_id or "", run_id=this.workflow_run_id
        ).cancel(reason="one of its steps was cancelled")

    def _load_researcher(self) -> "Researcher":
        # Its libraries take a second to load. Only a language model needs them.
        from activities.llm.researcher import Researcher  # noqa: PLC0415

        return Researcher.of(self._settings, self._ledger)

    async def _search(self, task: jobs.DesignTask, report_trial: ReportTrial) -> DesignResult:
        if task.memory:
            task = await self._add_earlier_trials(task)
        return await self._run(jobs.design, task, DesignResult, report_trial)

    async def _ask_for_design(
        self, task: jobs.DesignTask, model: jobs.LanguageModel, report_trial: ReportTrial
    ) -> DesignResult:
        context = self._context(task)

        async def score(spec: StrategySpec) -> CandidateScore:
            candidate = CandidateInput(data=task.input.data, spec=spec, seed=task.input.seed)
            return await self._compute.run(
                jobs.score,
                jobs.CandidateTask(operation_id=task.operation_id, input=candidate),
                context,
                returns=CandidateScore,
                report=ignore_report,
            )

        researcher = await asyncio.to_thread(self._load_researcher)
        try:
            async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
                return await researcher.design(
                    task,
                    model,
                    context.open_artifacts(),
                    score=score,
                    report=report,
                    report_trial=report_trial,
                )
        except BudgetExhausted as error:
            found = await self._search(task, report_trial)
            note = f"{error.message} The strategy was found by search instead."
            return found.model_copy(update={"note": note})

    async def _ask_for_comment(
        self, task: jobs.AssessmentTask, model: jobs.LanguageModel, result: AssessmentResult
    ) -> AssessmentResult:
        artifacts = self._context(task).open_artifacts()
        researcher = await asyncio.to_thread(self._load_researcher)
        async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
            result = await researcher.comment(task, model, result, artifacts, report)
        publication = jobs.PublishTask(operation_id=task.operation_id, result=result)
        return await self._run(jobs.publish, publication, AssessmentResult)

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

    def _add_counts(self, inp: AssessmentInput) -> AssessmentInput:
        """Add how many trials and looks these bars have had."""
        bars = inp.training.data.source
        return inp.model_copy(
            update={
                "trials_ever": max(1, self._ledger.trials.count(bars)),
                "holdout_looks": max(1, self._ledger.looks.count(bars)),
            }
        )

    def _keep_hypotheses(self, inp: AssessmentInput, result: AssessmentResult) -> None:
        place: dict[str, Any] = {
            "operation_id": inp.operation_id,
            "symbol": inp.data.symbol,
            "timeframe": inp.data.timeframe,
            "now": datetime.now(UTC),
        }
        named = inp.design.hypotheses if inp.design else ()
        self._ledger.hypotheses.settle(inp.spec, result.verdict, named=named, **place)
        self._ledger.hypotheses.register(result.hypotheses, **place)

    async def _run(
        self,
        job: Job[_Task, _Result],
        task: _Task,
        returns: type[_Result],
        report_trial: ReportTrial = ignore_report,
    ) -> _Result:
        async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
            return await self._compute.run(
                job,
                task,
                self._context(task),
                returns=returns,
                report=report,
                report_trial=report_trial,
            )

    def _context(self, task: jobs.Task) -> jobs.JobContext:
        return jobs.JobContext(
            task.operation_id, self._settings.artifacts_url, self._settings.data_dir
        )


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Raise errors as failures that Temporal understands, and retries if they are transient.

    Computation is deterministic, so a retry would raise any other error again. The failure has no
    cause, or else the cause would pass for the root of the failure.
    """
    try:
        yield
    except KtrdrError as error:
        raise _make_failure(error) from None
    except FailureError:
        raise
    except Exception as error:
        step = activity.info().activity_type
        _log.exception("%s failed", step)
        # The system may have more files, memory or disk later.
        raise _make_failure(
            Unexpected(f"step {step}", error), transient=isinstance(error, OSError | MemoryError)
        ) from None


def _make_failure(error: KtrdrError, *, transient: bool = False) -> ApplicationError:
    return ApplicationError(
        error.message,
        {"field": error.field},
        type=error.reason,
        non_retryable=not transient and error.reason not in _TRANSIENT,
    )
