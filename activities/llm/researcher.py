"""Lets a language model design a strategy, and comment on the outcome."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic_ai.models import Model
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.jobs import AssessmentTask, DesignTask, LanguageModel
from activities.llm import prompts
from activities.llm.assessor import comment, format_figures
from activities.llm.connection import connect_model
from activities.llm.designer import Candidates, ScoreRound, design
from activities.llm.meter import Conversation, Meter, MeteredModel
from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from errors import BudgetExhausted, KtrdrError, ModelMisbehaved
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.data import DataSource
from quant.messages.progress import Progress, ReportProgress
from quant.messages.record.hypotheses import Hypothesis
from quant.messages.record.trials import TRIAL_LIST
from quant.messages.search import BegunSearch
from quant.messages.steps import (
    AssessmentResult,
    DesignInput,
    DesignResult,
    ModelComment,
)
from quant.search.records import RoundRecord
from settings import Settings
from storage.artifacts import OperationArtifacts
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment, HypothesisRecord
from storage.ledger.selection import ExperimentOrder

# How many earlier results a designer is shown.
_EXPERIMENTS_SHOWN: Final = 5
_HYPOTHESES_SHOWN: Final = 20

# After so many attempts a research does without a comment.
_COMMENT_ATTEMPTS: Final = 5

# Progress of an assessment when only the comment is missing.
_PERCENTAGE_BEFORE_COMMENT: Final = 90.0


@dataclass(frozen=True)
class Researcher:
    """Calls language models within the budget, and records every call.

    Attributes:
        ledger: Holds past results and spending.
        prices: Prices of the models.
        default_model: Model of a research that names none.
        timeout_seconds: How long a provider may stay silent.
    """

    ledger: Ledger
    prices: Prices
    default_model: str
    timeout_seconds: float

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger) -> "Researcher":
        """Make a researcher for these settings."""
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
        begun: BegunSearch,
        rounds: Sequence[RoundRecord],
        score_round: ScoreRound,
        report: ReportProgress,
    ) -> DesignResult:
        """Let a model design a strategy, and write the artifact `trials.json`.

        Args:
            task: What to design.
            model: The language model.
            artifacts: Artifacts of the design.
            begun: The bars that candidates are scored on.
            rounds: What earlier attempts have had scored.
            score_round: Scores a round of candidates on development data.
            report: Called with the progress.

        Raises:
            BudgetExhausted: The budget was used up before any candidate was scored.
            ModelMisbehaved: The model gave no valid answer, and no candidate was scored.
            InvalidInput: The model is unknown, or has no key or no price.
            ApplicationError: The provider refused a call or broke off its answer.
        """
        inp = task.input
        candidates = Candidates(inp.trials, inp.seed, begun, rounds, score_round, report)
        candidates.report_step(f"Evaluated {len(candidates.trials)} candidates")
        hypotheses = await self.ledger.ask(self._find_open_hypotheses, task.input.data)

        async def write_prompt() -> str:
            return await self.ledger.ask(self._write_design_prompt, task.input, hypotheses)

        async with self._converse(model, artifacts, write_prompt, candidates.report_step) as (
            llm,
            prompt,
        ):
            try:
                designed = await design(llm, prompt, candidates)
            except (BudgetExhausted, ModelMisbehaved):
                # What comes next begins anew. The answers are forgotten last: as long as they are
                # there, they lead to here again.
                await _forget_rounds(artifacts)
                raise
        result = DesignResult(
            spec=designed.spec,
            data=candidates.data,
            trials=len(candidates.trials),
            best_sharpe=designed.sharpe,
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
        """Add a model's comment to an assessment. If the model fails, only the comment is missing.

        Args:
            task: What was assessed.
            model: The language model.
            result: The computed assessment.
            artifacts: Artifacts of the assessment.
            report: Called with the progress.

        Raises:
            ApplicationError: The provider is temporarily unavailable.
        """
        figures = format_figures(task.input, result)

        async def write_prompt() -> str:
            return prompts.assess_prompt(task.input, result, figures)

        def report_step(step: str) -> None:
            report(Progress(percentage=_PERCENTAGE_BEFORE_COMMENT, current_step=step))

        try:
            async with self._converse(model, artifacts, write_prompt, report_step) as (llm, prompt):
                words = await comment(llm, prompt, figures)
        except KtrdrError as error:
            return _explain_missing_comment(result, error.message)
        except ApplicationError as error:
            if not error.non_retryable and activity.info().attempt < _COMMENT_ATTEMPTS:
                raise
            return _explain_missing_comment(result, error.message)
        return result.model_copy(
            update={
                "comment": ModelComment(text=words.text, model=str(self._get_name(model))),
                "hypotheses": [
                    *result.hypotheses,
                    *(
                        Hypothesis(statement=statement, by_holdout=task.input.backtest is not None)
                        for statement in words.hypotheses
                    ),
                ],
            }
        )

    @asynccontextmanager
    async def _converse(
        self,
        model: LanguageModel,
        artifacts: OperationArtifacts,
        write_prompt: Callable[[], Awaitable[str]],
        report_step: Callable[[str], None],
    ) -> AsyncIterator[tuple[Model, str]]:
        """Yield the model and its task. An interrupted conversation continues."""
        name = self._get_name(model)
        self.prices.check(name)
        conversation = await _load_conversation(artifacts)
        if conversation is None:
            conversation = Conversation(prompt=await write_prompt())
        meter = Meter(
            name=name,
            research_id=activity.info().workflow_id or "",
            max_cost=model.max_cost,
            ledger=self.ledger,
            prices=self.prices,
            artifacts=artifacts,
            conversation=conversation,
            report_step=report_step,
        )
        async with connect_model(name, self.timeout_seconds) as connection:
            try:
                yield MeteredModel(connection, meter), conversation.prompt
            except ModelMisbehaved:
                # The same answers would lead to the same end. So a retry starts a new conversation.
                await meter.forget_answers()
                raise

    def _get_name(self, model: LanguageModel) -> ModelName:
        return ModelName.parse(model.name or self.default_model)

    def _find_open_hypotheses(self, data: DataSource) -> list[HypothesisRecord]:
        return self.ledger.hypotheses.find(
            status="open",
            symbol=data.symbol,
            timeframe=data.timeframe,
            by_holdout=False,
            limit=_HYPOTHESES_SHOWN,
        )

    def _write_design_prompt(self, inp: DesignInput, hypotheses: list[HypothesisRecord]) -> str:
        bars = {"symbol": inp.data.symbol, "timeframe": inp.data.timeframe}

        def first(order: ExperimentOrder, *, descending: bool) -> list[Experiment]:
            return self.ledger.experiments.find_originals(
                _EXPERIMENTS_SHOWN, order=order, descending=descending, **bars
            )

        return prompts.design_prompt(
            brief=inp.brief,
            bars=bars,
            best=first(ExperimentOrder.DEVELOPMENT_SHARPE, descending=True),
            worst=first(ExperimentOrder.DEVELOPMENT_SHARPE, descending=False),
            recent=first(ExperimentOrder.FINISHED_AT, descending=True),
            hypotheses=hypotheses,
        )


async def _load_conversation(artifacts: OperationArtifacts) -> Conversation | None:
    content = await artifacts.fetch(Artifact.CONVERSATION)
    return parse_artifact(Conversation, content, Artifact.CONVERSATION) if content else None


async def _forget_rounds(artifacts: OperationArtifacts) -> None:
    """Forget that a model has proposed anything, and what became of it."""
    await artifacts.clear(keep=(Artifact.CONVERSATION, Artifact.MEMORY))


def _explain_missing_comment(result: AssessmentResult, why: str) -> AssessmentResult:
    limitation = f"The language model gave no comment. {why}"
    return result.model_copy(update={"limitations": [*result.limitations, limitation]})
