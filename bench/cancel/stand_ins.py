"""Activities with the names of the real ones. They follow a `Plan` instead of computing."""

from temporalio import activity

from activities import jobs as real
from activities.research import ResearchActivities
from activities.step import translate_errors
from bench.cancel import canned, jobs
from bench.cancel.plans import Plan
from quant.messages.artifacts import Artifact
from quant.messages.base import FrozenModel
from quant.messages.search import BegunSearch
from quant.messages.steps import AssessmentResult, BacktestResult, DesignResult, TrainingResult
from workflows.interface.contract import OperationType


class StandIns(ResearchActivities):
    """Stay, fail or return a canned result. Processes, heartbeats and records are real."""

    @activity.defn
    async def design(self, task: real.DesignTask) -> DesignResult | BegunSearch:
        """Stand in for the design."""
        await self._follow(Plan(task.input.seed), OperationType.DESIGN, task)
        return canned.DESIGN

    @activity.defn
    async def train(self, task: real.TrainingTask) -> TrainingResult:
        """Stand in for the training."""
        await self._follow(Plan(task.input.seed), OperationType.TRAINING, task)
        return canned.TRAINING

    @activity.defn
    async def backtest(self, task: real.BacktestTask) -> BacktestResult:
        """Stand in for the backtest."""
        await self._follow(Plan(task.input.seed), OperationType.BACKTEST, task)
        return canned.BACKTEST

    @activity.defn
    async def assessment(self, task: real.AssessmentTask) -> AssessmentResult:
        """Stand in for the assessment."""
        await self._follow(Plan(task.input.seed), OperationType.ASSESSMENT, task)
        # Without it the ledger would not take the verdict.
        await (
            self._context(task)
            .open_artifacts()
            .store(Artifact.ASSESSMENT, canned.ASSESSMENT.model_dump_json().encode())
        )
        return canned.ASSESSMENT

    async def _follow(self, plan: Plan, step: OperationType, task: real.Task) -> None:
        if plan.step is not step:
            return
        job = jobs.fail if plan.fails else jobs.idle
        with translate_errors():
            await self._run(job, task, FrozenModel)
