"""Lets a language model comment on an assessment. It writes the words, we fill in the figures."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field, StringConstraints
from pydantic_ai import Agent, ModelRetry, UsageLimits
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.models import Model

from activities.llm import prompts
from activities.llm.designer import CORRECTIONS
from errors import ModelMisbehaved
from quant.messages.base import FrozenModel
from quant.messages.record.hypotheses import MAX_STATEMENT
from quant.messages.steps import AssessmentInput, AssessmentResult
from quant.wording import strip_controls

_CALLS: Final = 6
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]*)\}")

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=MAX_STATEMENT)]


class Answer(FrozenModel):
    """The answer of a model."""

    comment: str = Field(min_length=1, max_length=2000)
    hypotheses: tuple[Sentence, ...] = Field(
        (), max_length=5, description="Hypotheses to test next, without figures or their names"
    )


@dataclass(frozen=True)
class Comment:
    """The comment of a model, with the figures filled in.

    Attributes:
        text: The comment.
        hypotheses: Hypotheses to test next.
    """

    text: str
    hypotheses: tuple[str, ...]


def format_figures(inp: AssessmentInput, result: AssessmentResult) -> dict[str, str]:
    """Return the figures that a comment may name, formatted for display."""
    training = inp.training
    known = {
        "log_loss": f"{training.log_loss:.4f}",
        "baseline_log_loss": f"{training.baseline_log_loss:.4f}",
        "accuracy": f"{training.accuracy:.1%}",
        "trials_ever": str(inp.trials_ever),
    }
    if training.sharpe is not None:
        known["development_sharpe"] = f"{training.sharpe:.2f}"
    if inp.backtest is not None:
        level = inp.backtest.get_level(1.0)
        known |= {
            "return_after_cost": f"{level.total_return:.1%}",
            "return_without_cost": f"{inp.backtest.get_level(0.0).total_return:.1%}",
            "return_at_double_cost": f"{inp.backtest.get_level(2.0).total_return:.1%}",
            "benchmark_return": f"{inp.backtest.benchmark.total_return:.1%}",
            "max_drawdown": f"{level.max_drawdown:.1%}",
            "trades": str(level.trades),
        }
    if result.statistics is not None:
        statistics = result.statistics
        known |= {
            "sharpe": f"{statistics.sharpe:.2f}",
            "sharpe_low": f"{statistics.sharpe_low:.2f}",
            "sharpe_high": f"{statistics.sharpe_high:.2f}",
            "p_value": f"{statistics.p_value:.3f}",
            "deflated_sharpe": f"{statistics.deflated_sharpe:.0%}",
            "confirmed_sharpe": f"{statistics.confirmed_sharpe:.0%}",
            "expected_best_sharpe": f"{statistics.expected_best_sharpe:.2f}",
            "record_sharpe": f"{statistics.record_sharpe:.2f}",
            "timing_p_value": f"{statistics.timing_p_value:.3f}",
            "record_p_value": f"{_known(statistics.record_p_value):.3f}",
            "alpha": f"{statistics.alpha or 0.0:.1%}",
            "alpha_p_value": f"{_known(statistics.alpha_p_value):.3f}",
            "holdout_looks": str(statistics.holdout_looks),
        }
    return known


def _known(p_value: float | None) -> float:
    return 1.0 if p_value is None else p_value


async def comment(model: Model, prompt: str, figures: dict[str, str]) -> Comment:
    """Let a model comment on an assessment.

    Args:
        model: The language model.
        prompt: The task.
        figures: Figures that the comment may name, by name.

    Raises:
        BudgetExhausted: The budget may not cover a further call.
        ModelMisbehaved: The model does not follow the rules.
    """
    agent = Agent(
        model,
        deps_type=type(None),
        output_type=Answer,
        instructions=prompts.ASSESSOR.format(figures=", ".join(figures)),
        retries=CORRECTIONS,
    )

    @agent.output_validator
    def refuse_figures(answer: Answer) -> Answer:
        _check(answer.comment, figures)
        for text in answer.hypotheses:
            # Later designs read them, and must not learn a figure of the holdout.
            _check(text, {})
        return answer

    try:
        run = await agent.run(prompt, usage_limits=UsageLimits(request_limit=_CALLS))
    except (UnexpectedModelBehavior, UsageLimitExceeded):
        raise ModelMisbehaved("The language model gave no valid comment.") from None
    return Comment(
        text=_fill_in(run.output.comment, figures),
        hypotheses=tuple(strip_controls(text) for text in run.output.hypotheses),
    )


def _check(text: str, figures: dict[str, str]) -> None:
    unknown = {name for name in _PLACEHOLDER.findall(text) if name not in figures}
    if unknown:
        raise ModelRetry(f"No figure {', '.join(sorted(unknown))} may stand here.")
    if any(character.isnumeric() for character in text):
        raise ModelRetry("Write no digits: name the figure in braces instead.")


def _fill_in(text: str, figures: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: figures[found[1]], strip_controls(text))
