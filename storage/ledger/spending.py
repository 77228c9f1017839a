"""Spending on language models, within limits.

Before a call its maximum cost is set aside; after it the actual cost replaces that amount. One
statement compares with the limit and adds, so concurrent workers cannot exceed it together.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select, update

from errors import BudgetExhausted
from storage.ledger.database import Database
from storage.ledger.records import SpendingEvent, Tokens
from storage.ledger.rows import (
    MICRODOLLARS_PER_DOLLAR,
    BudgetDayRow,
    SpendingRow,
    to_dollars,
    to_microdollars,
)

_TOKENS = tuple(Tokens.model_fields)


@dataclass(frozen=True)
class ModelCall:
    """A call that is about to be made.

    Attributes:
        call_id: Unique. An activity that is retried makes new calls with new ids.
        operation_id: Id of the research.
        model: Provider and name of the model.
        max_cost: Maximum cost in US dollars.
    """

    call_id: str
    operation_id: str
    model: str
    max_cost: float


class Spending:
    """The table of calls of language models.

    Args:
        database: The database of the ledger.
        daily_limit: US dollars per day (UTC); None for no limit.
    """

    def __init__(self, database: Database, daily_limit: float | None) -> None:
        self._database = database
        self._limit = daily_limit

    def reserve(self, call: ModelCall, now: datetime, research_limit: float | None = None) -> None:
        """Set aside the maximum cost of a call.

        Args:
            call: The call about to be made.
            now: The time. The amount counts for its day in UTC.
            research_limit: US dollars that the research may cost in total; None for no limit.

        Raises:
            BudgetExhausted: Less than the maximum cost is left for the day or for the research.
        """
        amount = to_microdollars(call.max_cost)
        day = now.date()
        with self._database.begin_writing() as session:
            session.execute(
                self._database.insert(BudgetDayRow)
                .values(day=day, committed_microdollars=0)
                .on_conflict_do_nothing()
            )
            # The update locks the row: other reservations wait for the end of this transaction.
            added = session.scalar(
                update(BudgetDayRow)
                .where(BudgetDayRow.day == day, *self._limit_total(amount))
                .values(committed_microdollars=BudgetDayRow.committed_microdollars + amount)
                .returning(BudgetDayRow.day)
            )
            if added is None:
                raise BudgetExhausted(f"Less than ${call.max_cost:.2f} of today's budget is left.")
            if research_limit is not None:
                spent = (
                    session.scalar(_select_total(SpendingRow.operation_id == call.operation_id))
                    or 0
                )
                if spent + amount > to_microdollars(research_limit):
                    raise BudgetExhausted(
                        f"The next call might exceed the research's limit of ${research_limit:.2f}."
                    )
            session.add(
                SpendingRow(
                    call_id=call.call_id,
                    operation_id=call.operation_id,
                    day=day,
                    model=call.model,
                    reserved_microdollars=amount,
                    created_at=now,
                )
            )

    def settle(self, call_id: str, cost: float, tokens: Tokens) -> None:
        """Replace the amount set aside for a call by its actual cost, once only."""
        amount = to_microdollars(cost)
        with self._database.begin_writing() as session:
            row = session.get(SpendingRow, call_id, with_for_update=True)
            if row is None or row.cost_microdollars is not None:
                return
            session.execute(
                update(BudgetDayRow)
                .where(BudgetDayRow.day == row.day)
                .values(
                    committed_microdollars=BudgetDayRow.committed_microdollars
                    + (amount - row.reserved_microdollars)
                )
            )
            row.cost_microdollars = amount
            for name, value in tokens.model_dump().items():
                setattr(row, name, value)

    def get_committed(self, day: date) -> float:
        """Return the amount spent or set aside on a day, in US dollars."""
        with self._database.begin_reading() as session:
            row = session.get(BudgetDayRow, day)
            return (to_dollars(row.committed_microdollars) or 0.0) if row else 0.0

    def get_cost(self, operation_id: str) -> float | None:
        """Return the cost of a research in US dollars; None if it has called no model."""
        with self._database.begin_reading() as session:
            return to_dollars(
                session.scalar(_select_total(SpendingRow.operation_id == operation_id))
            )

    def count_tokens(self, operation_id: str) -> Tokens:
        """Return the tokens of all calls of a research."""
        sums = [func.coalesce(func.sum(getattr(SpendingRow, each)), 0) for each in _TOKENS]
        with self._database.begin_reading() as session:
            row = session.execute(
                select(*sums).where(SpendingRow.operation_id == operation_id)
            ).one()
        return Tokens(**dict(zip(_TOKENS, map(int, row), strict=True)))

    def list_events(self, day: date, limit: int) -> list[SpendingEvent]:
        """Return the calls of a day, newest first."""
        statement = (
            select(SpendingRow)
            .where(SpendingRow.day == day)
            .order_by(SpendingRow.created_at.desc(), SpendingRow.call_id)
            .limit(limit)
        )
        with self._database.begin_reading() as session:
            return [_to_event(row) for row in session.scalars(statement)]

    def _limit_total(self, amount: int) -> list[ColumnElement[bool]]:
        if self._limit is None:
            return []
        return [BudgetDayRow.committed_microdollars + amount <= to_microdollars(self._limit)]


def _select_total(condition: ColumnElement[bool]) -> Select[int | None]:
    cost = func.coalesce(SpendingRow.cost_microdollars, SpendingRow.reserved_microdollars)
    # PostgreSQL would return a decimal number.
    return select(cast(func.sum(cost), BigInteger)).where(condition)


def _to_event(row: SpendingRow) -> SpendingEvent:
    cost = row.cost_microdollars
    return SpendingEvent(
        call_id=row.call_id,
        operation_id=row.operation_id,
        model=row.model,
        cost=(row.reserved_microdollars if cost is None else cost) / MICRODOLLARS_PER_DOLLAR,
        settled=cost is not None,
        created_at=row.created_at,
        **{name: getattr(row, name) or 0 for name in Tokens.model_fields},
    )
