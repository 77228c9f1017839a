"""What language models may cost, and whether another research may use one."""

import asyncio
from datetime import UTC, datetime

from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from api.agent.schemas import Budget
from errors import BudgetExhausted
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
    spent = await asyncio.to_thread(ledger.spending.committed, today)
    left = None if limit is None else max(0.0, limit - spent)
    return Budget(
        date=today,
        daily_limit=limit,
        today_spend=spent,
        remaining=left,
        budget_disabled=limit is None,
        cycles_affordable=None if left is None else int(left / _ESTIMATE),
        spend_events=await asyncio.to_thread(ledger.spending.events, today, _EVENTS_SHOWN),
    )


async def with_model(
    request: ResearchRequest, settings: Settings, ledger: Ledger
) -> ResearchRequest:
    """Return the request with the language model that it will use, if the budget allows one.

    Raises:
        InvalidInput: the model is unknown, or has no key or no price.
        BudgetExhausted: today's budget is spent.
        LedgerUnavailable: the ledger does not answer.
    """
    if request.designer != "llm":
        return request
    name = ModelName.parse(request.model or settings.llm_model)
    name.key()
    Prices(settings.llm_input_price, settings.llm_output_price).check(name)
    budget = await read_budget(ledger, settings.budget)
    if budget.remaining is not None and budget.remaining < _ESTIMATE:
        raise BudgetExhausted(
            f"${budget.today_spend:.2f} of today's ${budget.daily_limit:.2f} for language models "
            "is spent; the designer `search` costs nothing."
        )
    return request.model_copy(update={"model": str(name)})
