"""What models answer in tests, and what they are asked."""

from dataclasses import replace
from typing import Any

from activities.jobs import DesignTask, LanguageModel
from quant.messages.data import DataSource
from quant.messages.search import BegunSearch, ProposedRound
from quant.messages.steps import DesignInput, DesignResult
from tests.llm.provider import Reply
from tests.support.helpers import new_id

SONNET = "anthropic:claude-sonnet-5-5"
GPT = "openai:gpt-4o"


def strategy(period: int = 14, **changes: Any) -> dict[str, Any]:
    """Return a strategy as a model writes it."""
    features = [{"kind": "rsi", "period": period}]
    model = {"num_iterations": 20}
    return {"name": f"rsi-{period}", "features": features, "model": model} | changes


def score(period: int = 14, **changes: Any) -> Reply:
    """Score a strategy."""
    return Reply("score_strategy", strategy(period, **changes))


def score_together(*periods: int) -> Reply:
    """Score several strategies in one answer."""
    first, *others = (score(period) for period in periods)
    return replace(first, more=tuple(others))


def propose(period: int = 14, hypotheses: tuple[str, ...] = (), **changes: Any) -> Reply:
    """Answer with a strategy."""
    answer = {"strategy": strategy(period, **changes), "hypotheses": hypotheses}
    return Reply(answer=answer)


def comment(text: str, *hypotheses: str) -> Reply:
    """Comment on an assessment."""
    return Reply(answer={"comment": text, "hypotheses": hypotheses})


def design_task(
    model: str = SONNET,
    *,
    brief: str | None = None,
    trials: int = 5,
    max_cost: float | None = None,
    symbol: str = "SP500",
) -> DesignTask:
    """Return what the design of a research is given."""
    return DesignTask(
        operation_id=new_id(),
        input=DesignInput(data=DataSource(symbol=symbol), trials=trials, seed=7, brief=brief),
        language_model=LanguageModel(name=model, max_cost=max_cost),
    )


def found(answer: DesignResult | BegunSearch | ProposedRound) -> DesignResult:
    """Return what a design has found in one activity."""
    assert isinstance(answer, DesignResult)
    return answer
