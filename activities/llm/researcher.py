"""A language model as the researcher: it designs a strategy, and comments on the outcome."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic_ai.models import Model
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.jobs import AssessmentTask, DesignTask, LanguageModel
from activities.llm import prompts
from activities.llm.commenting import comment, figures_of
from activities.llm.connection import connected
from activities.llm.designing import Candidates, design
from activities.llm.metering import Conversation, Meter, MeteredModel
from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from errors import KtrdrError, ModelMisbehaved
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.hypotheses import Hypothesis
from quant.messages.progress import Progress, ReportProgress
from quant.messages.steps import (
    AssessmentResult,
    CandidateScore,
    DesignInput,
    DesignResult,
    ModelComment,
)
from quant.messages.strategy import StrategySpec
from quant.messages.trials import TRIAL_LIST, ReportTrial
from settings import Settings
from storage.artifacts import OperationArtifacts
from storage.experiments import ExperimentOrder
from storage.ledger import Ledger
from storage.records import Experiment, HypothesisRecord

# How much of the past a designer is shown.
_EXPERIMENTS_TOLD: Final = 5
_HYPOTHESES_TOLD: Final = 20

# After these attempts a research continues without a comment.
_ATTEMPTS_FOR_A_COMMENT: Final = 5

# Progress of an assessment when only the comment is missing.
_COMPUTED: Final = 90.0


@dataclass(frozen=True)
class Researcher:
    """Calls language models within the budget, and records every call.

    Attributes:
        ledger: past results and spending.
        prices: prices of the models.
        default_model: model of a research that names none.
        timeout_seconds: how long a provider may stay silent.
    """

    ledger: Ledger
    prices: Prices
    default_model: str
    timeout_seconds: float

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger) -> "Researcher":
        """Return the researcher for these settings."""
        return cls(
            ledger=ledger,
            prices=Prices(settings.llm_input_price, settings.llm_output_price),
            default_model=settings.llm_model,
            timeout_seconds=settings.llm_timeout_seconds,
        )

    async def design(
        self,
        task: DesignTask,
        model: LanguageModel,
        artifacts: OperationArtifacts,
        *,
        score: Callable[[StrategySpec], Awaitable[CandidateScore]],
        report: ReportProgress,
        tried: ReportTrial,
    ) -> DesignResult:
        """Let a model design a strategy; writes the artifact `trials.json`.

        Args:
            task: what to design.
            model: to ask.
            artifacts: of the design.
            score: scores one candidate on development data.
            report: called with the progress.
            tried: called with every candidate as soon as it is scored.

        Raises:
            BudgetExhausted: before any candidate was scored.
            ModelMisbehaved: the model gave no valid answer, and no candidate was scored.
            InvalidInput: the model is unknown, or has no key or no price.
            ApplicationError: the provider refused or broke off.
        """
        candidates = Candidates(task.input.trials, task.input.seed, score, report, tried)
        hypotheses = await self.ledger.ask(self._open_hypotheses, task.input.data)

        async def told() -> str:
            return await self.ledger.ask(self._told, task.input, hypotheses)

        async with self._conversing(model, artifacts, told, candidates.tell) as (llm, prompt):
            designed = await design(llm, prompt, candidates)
        result = DesignResult(
            spec=designed.spec,
            data=designed.score.data,
            trials=len(candidates.trials),
            best_sharpe=designed.score.annual_sharpe,
            hypotheses=tuple(
                each.hypothesis_id
                for each in hypotheses
                if each.hypothesis_id in designed.hypotheses
            ),
            note=designed.note,
        )
        content = TRIAL_LIST.dump_json(candidates.trials)
        await artifacts.store(Artifact.TRIALS, content)
        return result

    async def comment(
        self,
        task: AssessmentTask,
        model: LanguageModel,
        result: AssessmentResult,
        artifacts: OperationArtifacts,
        report: ReportProgress,
    ) -> AssessmentResult:
        """Add a model's comment to an assessment; if the model fails, only the comment is missing.

        Args:
            task: what was assessed.
            model: to ask.
            result: of the computation.
            artifacts: of the assessment.
            report: called with the progress.

        Raises:
            ApplicationError: the provider is temporarily unavailable.
        """
        figures = figures_of(task.input, result)

        async def told() -> str:
            return prompts.assess_prompt(task.input, result, figures)

        def tell(step: str) -> None:
            report(Progress(percentage=_COMPUTED, current_step=step))

        try:
            async with self._conversing(model, artifacts, told, tell) as (llm, prompt):
                said = await comment(llm, prompt, figures)
        except KtrdrError as error:
            return _without_comment(result, error.message)
        except ApplicationError as error:
            if not error.non_retryable and activity.info().attempt < _ATTEMPTS_FOR_A_COMMENT:
                raise
            return _without_comment(result, error.message)
        return result.model_copy(
            update={
                "comment": ModelComment(text=said.text, model=str(self._name(model))),
                "hypotheses": [
                    *result.hypotheses,
                    *(
                        Hypothesis(statement=statement, by_holdout=task.input.backtest is not None)
                        for statement in said.hypotheses
                    ),
                ],
            }
        )

    @asynccontextmanager
    async def _conversing(
        self,
        model: LanguageModel,
        artifacts: OperationArtifacts,
        told: Callable[[], Awaitable[str]],
        tell: Callable[[str], None],
    ) -> AsyncIterator[tuple[Model, str]]:
        """Yield the model and its task; an interrupted conversation continues."""
        name = self._name(model)
        self.prices.check(name)
        conversation = await _begun(artifacts)
        if conversation is None:
            conversation = Conversation(prompt=await told())
        meter = Meter(
            name=name,
            research_id=activity.info().workflow_id or "",
            max_cost=model.max_cost,
            ledger=self.ledger,
            prices=self.prices,
            artifacts=artifacts,
            conversation=conversation,
            tell=tell,
        )
        async with connected(name, self.timeout_seconds) as connection:
            try:
                yield MeteredModel(connection, meter), conversation.prompt
            except ModelMisbehaved:
                # The same answers would lead to the same end, so a retry starts anew.
                await meter.forget()
                raise

    def _name(self, model: LanguageModel) -> ModelName:
        return ModelName.parse(model.name or self.default_model)

    def _open_hypotheses(self, data: DataSource) -> list[HypothesisRecord]:
        return self.ledger.hypotheses.find(
            status="open",
            symbol=data.symbol,
            timeframe=data.timeframe,
            by_holdout=False,
            limit=_HYPOTHESES_TOLD,
        )

    def _told(self, inp: DesignInput, hypotheses: list[HypothesisRecord]) -> str:
        bars = {"symbol": inp.data.symbol, "timeframe": inp.data.timeframe}

        def first(order: ExperimentOrder, *, descending: bool) -> list[Experiment]:
            return self.ledger.experiments.find_originals(
                _EXPERIMENTS_TOLD, order=order, descending=descending, **bars
            )

        return prompts.design_prompt(
            brief=inp.brief,
            bars=bars,
            best=first(ExperimentOrder.DEVELOPMENT_SHARPE, descending=True),
            worst=first(ExperimentOrder.DEVELOPMENT_SHARPE, descending=False),
            recent=first(ExperimentOrder.FINISHED_AT, descending=True),
            hypotheses=hypotheses,
        )


async def _begun(artifacts: OperationArtifacts) -> Conversation | None:
    content = await artifacts.fetch(Artifact.CONVERSATION)
    return Conversation.model_validate_json(content) if content else None


def _without_comment(result: AssessmentResult, why: str) -> AssessmentResult:
    limitation = f"The language model gave no comment. {why}"
    return result.model_copy(update={"limitations": [*result.limitations, limitation]})
