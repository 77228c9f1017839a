"""Spending: set aside before a call, settled after it, never more than the limits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from errors import BudgetExhausted
from storage.ledger.ledger import Ledger
from storage.ledger.records import Tokens
from storage.ledger.spending import ModelCall

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TODAY = NOW.date()


def call(number: int, max_cost: float, operation_id: str = "op_1") -> ModelCall:
    return ModelCall(f"call_{number}", operation_id, "anthropic:some-model", max_cost)


@pytest.fixture
def limited(migrated_url: str) -> Iterator[Ledger]:
    opened = Ledger(migrated_url, daily_budget=1.0)
    yield opened
    opened.close()


def test_what_was_set_aside_gives_way_to_what_it_cost(limited: Ledger) -> None:
    spending = limited.spending
    spending.reserve(call(1, 0.6), NOW)
    assert spending.get_committed(TODAY) == 0.6
    assert spending.get_cost("op_1") == 0.6
    for _ in range(2):
        spending.settle("call_1", 0.05, Tokens(input_tokens=100, output_tokens=10))
    assert spending.get_committed(TODAY) == 0.05
    assert spending.get_cost("op_1") == 0.05
    assert spending.get_cost("op_2") is None
    [event] = spending.list_events(TODAY, 10)
    assert (event.cost, event.settled) == (0.05, True)
    assert (event.input_tokens, event.output_tokens) == (100, 10)


def test_a_call_that_does_not_fit_into_the_day_is_refused(limited: Ledger) -> None:
    limited.spending.reserve(call(1, 0.6), NOW)
    with pytest.raises(BudgetExhausted, match="today's budget"):
        limited.spending.reserve(call(2, 0.5), NOW)
    assert limited.spending.get_committed(TODAY) == 0.6
    limited.spending.reserve(call(3, 0.4), NOW)
    limited.spending.reserve(call(4, 0.9), NOW + timedelta(days=1))


def test_a_research_has_a_limit_of_its_own(limited: Ledger) -> None:
    limited.spending.reserve(call(1, 0.2), NOW, research_limit=0.3)
    with pytest.raises(BudgetExhausted, match="research's limit"):
        limited.spending.reserve(call(2, 0.2), NOW, research_limit=0.3)
    # The refused amount is not set aside.
    assert limited.spending.get_committed(TODAY) == 0.2
    limited.spending.settle("call_1", 0.01, Tokens())
    limited.spending.reserve(call(2, 0.2), NOW, research_limit=0.3)
    limited.spending.reserve(call(3, 0.2, "op_2"), NOW, research_limit=0.3)


def test_without_a_limit_everything_fits(ledger: Ledger) -> None:
    ledger.spending.reserve(call(1, 1e6), NOW)
    assert ledger.spending.get_committed(TODAY) == 1e6


def test_workers_that_ask_together_do_not_overdraw(migrated_url: str, limited: Ledger) -> None:
    def ask(number: int) -> bool:
        own = Ledger(migrated_url, daily_budget=1.0)
        try:
            own.spending.reserve(call(number, 0.1, f"op_{number}"), NOW)
        except BudgetExhausted:
            return False
        finally:
            own.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(ask, range(30)))
    assert sum(granted) == 10
    assert limited.spending.get_committed(TODAY) == pytest.approx(1.0)
