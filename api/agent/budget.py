"""Today's budget for language models."""

from datetime import UTC, datetime

from api.agent.schemas import UNLIMITED_DOLLARS, Budget, BudgetLeft
from errors import BudgetExhausted, LedgerUnavailable
from storage.ledger.ledger import Ledger

# US dollars: the typical cost of a research with a small model. `max_cost` may allow more.
_COST_OF_RESEARCH = 0.15
_MOST_EVENTS = 100


class DailyBudget:
    """Today's budget, by the ledger's record of all calls.

    Args:
        ledger: Records the calls.
        limit: US dollars a day. None for no limit.
    """

    def __init__(self, ledger: Ledger, limit: float | None) -> None:
        self._ledger = ledger
        self._limit = limit

    async def read(self) -> Budget:
        """Return today's budget with its calls.

        Raises:
            LedgerUnavailable: The ledger does not answer.
        """
        today = datetime.now(UTC).date()
        spending = self._ledger.spending
        spent = await self._ledger.ask(spending.get_committed, today)
        left = self._subtract(spent)
        return Budget(
            **left.model_dump(),
            date=today,
            today_spend=spent,
            budget_disabled=left.unlimited,
            cycles_affordable=int(left.remaining / _COST_OF_RESEARCH),
            spend_events=await self._ledger.ask(spending.list_events, today, _MOST_EVENTS),
        )

    async def read_left(self) -> BudgetLeft:
        """Return what is left of today's budget. It is unknown while the ledger does not answer."""
        today = datetime.now(UTC).date()
        try:
            spent = await self._ledger.ask_briefly(self._ledger.spending.get_committed, today)
        except LedgerUnavailable:
            unknown = {"known": False} | ({} if self._limit is None else {"remaining": 0.0})
            return self._subtract(0.0).model_copy(update=unknown)
        return self._subtract(spent)

    async def require_research(self) -> None:
        """Check that today's budget pays for one more research.

        The check passes while the ledger does not answer. The worker then waits for the ledger: it
        sets every call aside from the budget before it makes the call.

        Raises:
            BudgetExhausted: Today's budget is spent.
        """
        budget = await self.read_left()
        if budget.known and budget.remaining < _COST_OF_RESEARCH:
            raise BudgetExhausted(
                f"${budget.remaining:.2f} of today's ${budget.daily_limit:.2f} for language models "
                "is left; the designer `search` costs nothing."
            )

    def _subtract(self, spent: float) -> BudgetLeft:
        if self._limit is None:
            return BudgetLeft(
                remaining=UNLIMITED_DOLLARS, daily_limit=UNLIMITED_DOLLARS, unlimited=True
            )
        return BudgetLeft(remaining=max(0.0, self._limit - spent), daily_limit=self._limit)
