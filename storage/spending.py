"""Spending on language models: set aside before a call and settled after it, within limits.

One statement compares and adds, so concurrent workers cannot exceed the budget together.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select, update

from errors import BudgetExhausted
from storage.database import Database
from storage.money import MICRO, dollars, micro
from storage.records import SpendingEvent, Tokens
from storage.tables import BudgetDayRow, SpendingRow


@dataclass(frozen=True)
class Call:
    """A call about to be made.

    Attributes:
        call_id: unique to this call; an activity that runs again draws new ids.
        operation_id: of the research.
        model: name of the model, with its provider.
        most: maximum cost in US dollars.
    """

    call_id: str
    operation_id: str
    model: str
    most: float


class Spending:
    """The calls of all language models.

    Args:
        database: of the ledger.
        daily_limit: US dollars per day (UTC); None for no limit.
    """

    def __init__(self, database: Database, daily_limit: float | None) -> None:
        self._database = database
        self._limit = daily_limit

    def reserve(self, call: Call, now: datetime, max_cost: float | None = None) -> None:
        """Set aside the maximum cost of a call.

        Args:
            call: the call.
            now: the time, whose day it counts for.
            max_cost: what its research may cost in total.

        Raises:
            BudgetExhausted: less than that is left of the budget of the day or the research.
        """
        amount = micro(call.most)
        day = now.date()
        with self._database.writing() as session:
            session.execute(
                self._database.insert(BudgetDayRow)
                .values(day=day, committed_microdollars=0)
                .on_conflict_do_nothing()
            )
            # This also makes concurrent reservations wait until the end of the transaction.
            added = session.scalar(
                update(BudgetDayRow)
                .where(BudgetDayRow.day == day, *self._leaves(amount))
                .values(committed_microdollars=BudgetDayRow.committed_microdollars + amount)
                .returning(BudgetDayRow.day)
            )
            if added is None:
                raise BudgetExhausted(f"Less than ${call.most:.2f} of today's budget is left.")
            if max_cost is not None:
                spent = session.scalar(_total(SpendingRow.operation_id == call.operation_id)) or 0
                if spent + amount > micro(max_cost):
                    raise BudgetExhausted(
                        f"The next call might exceed the research's limit of ${max_cost:.2f}."
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
        """Replace the amount set aside for a call by its actual cost, once."""
        amount = micro(cost)
        with self._database.writing() as session:
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

    def committed(self, day: date) -> float:
        """Return what has been spent or set aside on a day, in US dollars."""
        with self._database.reading() as session:
            row = session.get(BudgetDayRow, day)
            return (dollars(row.committed_microdollars) or 0.0) if row else 0.0

    def of_operation(self, operation_id: str) -> float | None:
        """Return the cost of a research in US dollars; None if it has called no model."""
        with self._database.reading() as session:
            return dollars(session.scalar(_total(SpendingRow.operation_id == operation_id)))

    def events(self, day: date, limit: int) -> list[SpendingEvent]:
        """Return the calls of a day, newest first."""
        statement = (
            select(SpendingRow)
            .where(SpendingRow.day == day)
            .order_by(SpendingRow.created_at.desc(), SpendingRow.call_id)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [_event(row) for row in session.scalars(statement)]

    def _leaves(self, amount: int) -> list[ColumnElement[bool]]:
        if self._limit is None:
            return []
        return [BudgetDayRow.committed_microdollars + amount <= micro(self._limit)]


def _total(condition: ColumnElement[bool]) -> Select[int | None]:
    cost = func.coalesce(SpendingRow.cost_microdollars, SpendingRow.reserved_microdollars)
    # PostgreSQL would answer with a decimal number.
    return select(cast(func.sum(cost), BigInteger)).where(condition)


def _event(row: SpendingRow) -> SpendingEvent:
    cost = row.cost_microdollars
    return SpendingEvent(
        call_id=row.call_id,
        operation_id=row.operation_id,
        model=row.model,
        cost=(row.reserved_microdollars if cost is None else cost) / MICRO,
        settled=cost is not None,
        created_at=row.created_at,
        **{name: getattr(row, name) or 0 for name in Tokens.model_fields},
    )
