"""The `llm` designer: a language model proposes, our own computation scores."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from pydantic import Field
from pydantic_ai import Agent, ModelRetry, UsageLimits
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.models import Model

from activities.llm import prompts
from errors import BudgetExhausted, InvalidInput, KtrdrError, ModelMisbehaved
from quant.messages.base import FrozenModel
from quant.messages.progress import Progress, ReportProgress
from quant.messages.steps import CandidateScore
from quant.messages.strategy import Costs, StrategySpec
from quant.messages.trials import ReportTrial, Trial, TrialOnBars
from quant.strategy import parser
from quant.wording import strip_controls

# How many invalid answers a model may correct before the call fails.
CORRECTIONS: Final = 3
_CALLS_BESIDE_SCORES: Final = 10


class Proposal(FrozenModel):
    """The final answer of a model."""

    strategy: StrategySpec
    hypotheses: tuple[str, ...] = Field(
        (), max_length=10, description="IDs of the hypotheses that it tests"
    )


@dataclass
class Candidates:
    """The candidates that a model has had scored, in their order. Equal ones are scored once.

    Attributes:
        limit: How many may be scored.
        seed: Seed of the scoring.
        score_one: Computes the score of a candidate.
        report_progress: Called after each candidate.
        report_trial: Called with each candidate as soon as it is scored.
        trials: The candidates so far.
    """

    limit: int
    seed: int
    score_one: Callable[[StrategySpec], Awaitable[CandidateScore]]
    report_progress: ReportProgress
    report_trial: ReportTrial
    trials: list[Trial] = field(default_factory=list, init=False)
    _scored: dict[str, tuple[StrategySpec, CandidateScore]] = field(
        default_factory=dict, init=False
    )

    async def score(self, spec: StrategySpec) -> CandidateScore:
        """Return the score of a candidate.

        Raises:
            ModelRetry: It cannot be scored, or the limit is reached. The message says which.
            KtrdrError: Nothing can be scored, for example because bars are missing.
        """
        fingerprint = spec.trial_fingerprint(self.seed)
        if fingerprint not in self._scored:
            if len(self.trials) >= self.limit:
                raise ModelRetry(
                    f"All {self.limit} candidates are used up. Answer with one of those scored."
                )
            try:
                score = await self.score_one(spec)
            except KtrdrError as error:
                # Missing bars or a killed process are not the model's fault.
                if error.reason != InvalidInput.reason:
                    raise
                raise ModelRetry(error.message) from None
            number = len(self.trials) + 1
            self._scored[fingerprint] = spec, score
            trial = Trial(
                number=number, fingerprint=fingerprint, sharpe=score.sharpe, parameters={}
            )
            self.trials.append(trial)
            self.report_trial(TrialOnBars(data=score.data.source, trial=trial))
            sharpe = score.annual_sharpe
            shown = "never traded" if sharpe is None else f"dev Sharpe {sharpe:.2f}"
            self.report_step(f"Evaluated candidate {number}: {shown}")
        return self._scored[fingerprint][1]

    def find_take_best(self) -> tuple[StrategySpec, CandidateScore] | None:
        """Return the candidate with the highest score, the first among equals; None without any."""
        return max(
            self._scored.values(),
            key=lambda scored: float("-inf") if scored[1].sharpe is None else scored[1].sharpe,
            default=None,
        )

    def report_step(self, step: str) -> None:
        """Report what happens now, and how many candidates have been scored."""
        done = len(self.trials)
        self.report_progress(
            Progress(
                percentage=100.0 * done / (self.limit + 1),
                current_step=step,
                items_processed=done,
                items_total=self.limit,
            )
        )


@dataclass(frozen=True)
class Design:
    """The design of a model.

    Attributes:
        spec: The strategy.
        score: Score of the strategy.
        hypotheses: Ids of the hypotheses that it tests.
        note: What did not go as planned.
    """

    spec: StrategySpec
    score: CandidateScore
    hypotheses: tuple[str, ...] = ()
    note: str | None = None


async def design(model: Model, prompt: str, candidates: Candidates) -> Design:
    """Let a model design a strategy.

    If the model runs out of budget or of corrections, its best candidate is taken.

    Args:
        model: The language model.
        prompt: The task.
        candidates: Scores what the model proposes.

    Raises:
        BudgetExhausted: The budget was used up before any candidate was scored.
        ModelMisbehaved: The model gave no valid answer, and no candidate was scored.
    """
    limits = UsageLimits(request_limit=2 * candidates.limit + _CALLS_BESIDE_SCORES)
    try:
        answer = await _make_agent(candidates).run(prompt, model=model, usage_limits=limits)
    except (BudgetExhausted, ModelMisbehaved) as error:
        return _take_best(candidates, error)
    except (UnexpectedModelBehavior, UsageLimitExceeded):
        return _take_best(candidates, ModelMisbehaved("The language model gave no valid answer."))
    spec = _with_standard_costs(answer.output.strategy)
    return Design(spec, await candidates.score(spec), answer.output.hypotheses)


def _take_best(candidates: Candidates, reason: KtrdrError) -> Design:
    best = candidates.find_take_best()
    if best is None:
        raise reason from None
    return Design(*best, note=f"{reason.message} The best candidate so far was taken.")


def _make_agent(candidates: Candidates) -> Agent[None, Proposal]:
    agent = Agent(
        deps_type=type(None),
        output_type=Proposal,
        instructions=prompts.DESIGNER.format(candidates=candidates.limit),
        retries=CORRECTIONS,
    )

    # One after the other. Two at once would take the slot of another research.
    @agent.tool_plain(sequential=True)
    async def score_strategy(strategy: StrategySpec) -> dict[str, float | int | None]:
        """Score a candidate in walk-forward on development bars, after cost."""
        score = await candidates.score(_with_standard_costs(strategy))
        left = candidates.limit - len(candidates.trials)
        return {"annual_sharpe": score.annual_sharpe, "candidates_left": left}

    @agent.tool_plain
    def validate_strategy(strategy: dict[str, object]) -> str:
        """Check whether a strategy is well-formed, without scoring it."""
        try:
            parser.validate_strategy(strategy)
        except InvalidInput as error:
            return error.message
        return "valid"

    @agent.output_validator
    async def score_answer(proposal: Proposal) -> Proposal:
        # A strategy that the model has not scored counts as a trial too.
        await candidates.score(_with_standard_costs(proposal.strategy))
        return proposal

    return agent


def _with_standard_costs(spec: StrategySpec) -> StrategySpec:
    """Return the strategy with the standard costs. No model may trade for free."""
    return spec.model_copy(
        update={"costs": Costs(), "description": strip_controls(spec.description)}
    )
