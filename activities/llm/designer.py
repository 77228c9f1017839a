"""The `llm` designer: a language model proposes, our own computation scores."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field
from pydantic_ai import Agent, ModelRetry, UsageLimits
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.models import Model

from activities.llm import prompts
from errors import BudgetExhausted, InvalidInput, KtrdrError, ModelMisbehaved
from quant.messages.base import FrozenModel
from quant.messages.data import DataInfo
from quant.messages.progress import Progress, ReportProgress
from quant.messages.record.trials import Trial
from quant.messages.search import BegunSearch, ScoredCandidate
from quant.messages.strategy import Costs, StrategySpec
from quant.search.records import Proposals, RoundRecord
from quant.strategy import parser
from quant.wording import strip_controls

# How many invalid answers a model may correct before the call fails.
CORRECTIONS: Final = 3
_CALLS_BESIDE_SCORES: Final = 10

ScoreRound = Callable[[int, Proposals], Awaitable[RoundRecord]]
"""Scores the candidates of a round, given its number."""


class Proposal(FrozenModel):
    """The final answer of a model."""

    strategy: StrategySpec
    hypotheses: tuple[str, ...] = Field(
        (), max_length=10, description="IDs of the hypotheses that it tests"
    )


class Candidates:
    """The candidates that a model has had scored, in their order. Equal ones are scored once.

    Args:
        limit: How many may be proposed.
        seed: Seed of the scoring.
        begun: The bars that they are scored on.
        rounds: What earlier attempts have had scored.
        score_round: Scores a round, given its number and its candidates.
        report_progress: Called after each round.
    """

    def __init__(
        self,
        limit: int,
        seed: int,
        begun: BegunSearch,
        rounds: Sequence[RoundRecord],
        score_round: ScoreRound,
        report_progress: ReportProgress,
    ) -> None:
        self.limit = limit
        self._seed = seed
        self._begun = begun
        self._rounds: list[RoundRecord] = []
        self._score_round = score_round
        self._report_progress = report_progress
        self._scored: dict[str, Trial] = {}
        self._refused: dict[str, str] = {}
        # In this attempt, which an earlier one may have been ahead of.
        self._proposed: set[str] = set()
        self._wanted: dict[str, StrategySpec] = {}
        self._scoring = asyncio.Lock()
        self._failure: Exception | None = None
        for each in rounds:
            self._add(each)

    @property
    def data(self) -> DataInfo:
        """The bars."""
        return self._begun.data

    @property
    def trials(self) -> list[Trial]:
        """The candidates that were scored, in their order."""
        return list(self._scored.values())

    @property
    def left(self) -> int:
        """How many more may be proposed."""
        return self.limit - len(self._proposed)

    async def score(self, spec: StrategySpec) -> float | None:
        """Return the annualised score of a candidate; None if it hardly trades.

        All that are asked for at once are one round.

        Raises:
            ModelRetry: It cannot be scored, or the limit is reached. The message says which.
            KtrdrError: Nothing can be scored, for example because bars are missing.
        """
        fingerprint = spec.trial_fingerprint(self._seed)
        if fingerprint not in self._proposed:
            if self.left <= 0:
                raise ModelRetry(
                    f"All {self.limit} candidates are used up. Answer with one of those scored."
                )
            self._proposed.add(fingerprint)
            if fingerprint not in self._scored | self._refused:
                self._wanted[fingerprint] = spec
        # All calls of one answer come as far as this before the first of them goes on.
        await asyncio.sleep(0)
        async with self._scoring:
            if self._wanted and self._failure is None:
                await self._score_wanted()
        if self._failure is not None:
            raise self._failure
        if fingerprint in self._refused:
            raise ModelRetry(self._refused[fingerprint])
        return self.annualise(self._scored[fingerprint].sharpe)

    def find_best(self) -> ScoredCandidate | None:
        """Return the candidate with the highest score, the first among equals; None without any."""
        return self._rounds[-1].best if self._rounds else None

    def report_step(self, step: str) -> None:
        """Report what happens now, and how many candidates have been dealt with."""
        done = len(self._scored) + len(self._refused)
        self._report_progress(
            Progress(
                percentage=100.0 * done / (self.limit + 1),
                current_step=step,
                items_processed=done,
                items_total=self.limit,
            )
        )

    async def _score_wanted(self) -> None:
        # Others may be asked for while these are scored.
        wanted, self._wanted = self._wanted, {}
        specs = tuple(wanted.values())
        proposals = Proposals(first=len(self._scored) + len(self._refused) + 1, specs=specs)
        try:
            scored = await self._score_round(len(self._rounds) + 1, proposals)
        except Exception as error:
            self._failure = error
        else:
            self._add(scored)
            best = scored.best_sharpe
            shown = "none traded yet" if best is None else f"best Sharpe {best:.2f}"
            self.report_step(f"Evaluated {len(self._scored)} candidates, {shown}")

    def _add(self, scored: RoundRecord) -> None:
        self._rounds.append(scored)
        self._scored |= {trial.fingerprint: trial for trial in scored.trials}
        self._refused |= {each.fingerprint: each.why for each in scored.refused}

    def annualise(self, sharpe: float | None) -> float | None:
        """Annualise a Sharpe ratio per bar; None stays None."""
        year = self._begun.periods_per_year
        return None if sharpe is None or year is None else sharpe * math.sqrt(year)


@dataclass(frozen=True)
class Design:
    """The design of a model.

    Attributes:
        spec: The strategy.
        sharpe: Its Sharpe ratio on development bars, annualised; None if it hardly trades.
        hypotheses: Ids of the hypotheses that it tests.
        note: What did not go as planned.
    """

    spec: StrategySpec
    sharpe: float | None
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
    best = candidates.find_best()
    if best is None:
        raise reason from None
    note = f"{reason.message} The best candidate so far was taken."
    return Design(best.spec, candidates.annualise(best.trial.sharpe), note=note)


def _make_agent(candidates: Candidates) -> Agent[None, Proposal]:
    agent = Agent(
        deps_type=type(None),
        output_type=Proposal,
        instructions=prompts.DESIGNER.format(candidates=candidates.limit),
        retries=CORRECTIONS,
    )

    @agent.tool_plain
    async def score_strategy(strategy: StrategySpec) -> dict[str, float | int | None]:
        """Score a candidate in walk-forward on development bars, after cost."""
        sharpe = await candidates.score(_with_standard_costs(strategy))
        return {"annual_sharpe": sharpe, "candidates_left": candidates.left}

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
    """Return the strategy with the standard costs and its own benchmark.

    No model may trade for free, or choose what it is compared with.
    """
    return spec.model_copy(
        update={
            "costs": Costs(),
            "benchmark": None,
            "description": strip_controls(spec.description),
        }
    )
