"""What language models may cost, and whether another research may use one."""

from datetime import UTC, datetime

from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from api.agent.schemas import Budget, BudgetLeft
from errors import BudgetExhausted, LedgerUnavailable
from settings import Settings
from storage.ledger import Ledger
from workflows.messages import ResearchRequest

# US dollars; typical cost of a research with a small model. `max_cost` may allow more.
_ESTIMATE = 0.15
_EVENTS_SHOWN = 100


async def read_budget(ledger: Ledger, limit: float | None) -> Budget:
    """Return today's budget.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    today = datetime.now(UTC).date()
    spent = await ledger.ask(ledger.spending.get_committed, today)
    left = _left(limit, spent)
    return Budget(
        date=today,
        daily_limit=limit,
        today_spend=spent,
        remaining=left,
        budget_disabled=limit is None,
        cycles_affordable=None if left is None else int(left / _ESTIMATE),
        spend_events=await ledger.ask(ledger.spending.list_events, today, _EVENTS_SHOWN),
    )


async def budget_left(ledger: Ledger, limit: float | None) -> BudgetLeft:
    """Return what is left of today's budget, as part of an answer that does without it."""
    today = datetime.now(UTC).date()
    try:
        spent = await ledger.ask_briefly(ledger.spending.get_committed, today)
    except LedgerUnavailable:
        return BudgetLeft(remaining=None if limit is None else 0.0, daily_limit=limit, known=False)
    return BudgetLeft(remaining=_left(limit, spent), daily_limit=limit)


def _left(limit: float | None, spent: float) -> float | None:
    return None if limit is None else max(0.0, limit - spent)


async def with_model(
    request: ResearchRequest, settings: Settings, ledger: Ledger
) -> ResearchRequest:
    """Return the request with the language model that it will use, if the budget allows one.

    While the ledger does not answer, nobody can tell. The research then starts: its worker sets
    every call aside from the budget before it is made, and waits for the ledger to do so.

    Raises:
        InvalidInput: the model is unknown, or has no key or no price.
        BudgetExhausted: today's budget is spent.
    """
    if request.designer != "llm":
        return request
    name = ModelName.parse(request.model or settings.llm_model)
    name.read_key()
    Prices(settings.llm_input_price, settings.llm_output_price).check(name)
    budget = await budget_left(ledger, settings.daily_budget)
    if budget.known and budget.remaining is not None and budget.remaining < _ESTIMATE:
        raise BudgetExhausted(
            f"${budget.remaining:.2f} of today's ${budget.daily_limit:.2f} for language models "
            "is left; the designer `search` costs nothing."
        )
    return request.model_copy(update={"model": str(name)})
