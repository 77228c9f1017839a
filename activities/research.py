"""The activities of a research: the side effects around the jobs in `activities.jobs`."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities import jobs
from activities.campaigns import CampaignActivities
from activities.counting import add_counts, record_look, require_assessed
from activities.designing import DesignActivities
from activities.heartbeat import send_heartbeats
from activities.step import translate_errors
from activities.watch import WatchActivities
from quant.messages.data import DataInfo, DataSource
from quant.messages.record.market import Sketch, Sketches
from quant.messages.record.trials import Trial, TrialOnBars
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestResult,
    TrainingResult,
)
from quant.messages.strategy import StrategySpec
from quant.messages.watch import Notice
from quant.strategy.files import load_strategy
from quant.versions import list_versions
from storage.ledger.records import Experiment

# The sketches of so many instruments are held in memory at once.
_MOST_SKETCHES = 25


class ResearchActivities(DesignActivities, CampaignActivities, WatchActivities):
    """Design, training, backtest and assessment, and their record in the ledger."""

    @activity.defn
    def load_strategy(self, name: str) -> StrategySpec:
        """Read a strategy file by its name."""
        with translate_errors():
            return load_strategy(name, self._settings.strategy_dir)

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
            await self._recognise_market(task, task.input.data)
            await self._ledger.ask(record_look, self._ledger, task.operation_id, task.input)
            return await self._run(jobs.backtest, task, BacktestResult)

    @activity.defn
    async def assessment(self, task: jobs.AssessmentTask) -> AssessmentResult:
        """Assess the results, deflated by all trials ever made on these bars."""
        with translate_errors():
            await self._recognise_market(task, task.input.training.data.source)
            counted = await self._ledger.ask(
                add_counts, self._ledger, task.input, reproduces=task.reproduces
            )
            task = task.model_copy(update={"input": counted})
            result = await self._run(jobs.assess, task, AssessmentResult)
            if task.language_model is not None:
                result = await self._ask_for_comment(task, task.language_model, result)
            if not task.counted:
                await self._ledger.ask(self._keep_hypotheses, task.input, result)
            return result

    @activity.defn
    def record_experiment(self, experiment: Experiment) -> Notice | None:
        """Record the outcome of a research in the ledger, with its cost and library versions.

        Returns:
            What people are to be told; None if nobody wants to be.
        """
        with translate_errors():
            require_assessed(experiment, self._settings.artifacts_url)
            cost = self._ledger.spending.get_cost(experiment.operation_id)
            additions = {"cost": cost, "versions": list_versions()}
            self._ledger.experiments.record(experiment.model_copy(update=additions))
            return self._notifier.describe_end(experiment)

    @activity.defn
    async def cancel_own_workflow(self) -> None:
        """Ask Temporal to cancel the workflow that this activity belongs to."""
        this = activity.info()
        client = activity.client()
        await client.get_workflow_handle(
            this.workflow_id or "", run_id=this.workflow_run_id
        ).cancel(reason="one of its steps was cancelled")

    async def _ask_for_comment(
        self, task: jobs.AssessmentTask, model: jobs.LanguageModel, result: AssessmentResult
    ) -> AssessmentResult:
        artifacts = self._context(task).open_artifacts()
        researcher = await asyncio.to_thread(self._load_researcher)
        async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
            result = await researcher.comment(task, model, result, artifacts, report)
        publication = jobs.PublishTask(operation_id=task.operation_id, result=result)
        return await self._run(jobs.publish, publication, AssessmentResult)

    async def _recognise_market(self, task: jobs.Task, data: DataSource) -> None:
        """Make the market of these bars known, once for each set of bars."""
        if await self._ledger.ask(self._ledger.identities.knows, data):
            return
        if data.symbols:
            await self._recognise_instruments(task, data)
        else:
            sketch = await self._run(
                jobs.sketch, jobs.SketchTask(operation_id=task.operation_id, data=data), Sketch
            )
            await self._ledger.ask(self._ledger.identities.recognise, sketch)

    async def _recognise_instruments(self, task: jobs.Task, data: DataSource) -> None:
        """Make the market of each instrument known, a few at a time."""
        for first in range(0, len(data.symbols), _MOST_SKETCHES):
            part = jobs.InstrumentsTask(
                operation_id=task.operation_id,
                data=DataSource(
                    symbols=data.symbols[first : first + _MOST_SKETCHES],
                    timeframe=data.timeframe,
                    start_date=data.start_date,
                    end_date=data.end_date,
                ),
            )
            found = await self._run(jobs.sketch_instruments, part, Sketches)
            for sketch in found.sketches:
                await self._ledger.ask(self._ledger.identities.recognise, sketch)
        whole = jobs.InstrumentsTask(operation_id=task.operation_id, data=data)
        info = await self._run(jobs.describe, whole, DataInfo)
        await self._ledger.ask(self._ledger.identities.keep_universe, info)

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
