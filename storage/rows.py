"""The rows of the ledger's tables. A change needs a migration; a test compares the two."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    TypeDecorator,
    and_,
    or_,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from quant.messages.data import DataSource


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp. SQLite stores no time zones, so UTC is stored without one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return UTC without a time zone."""
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return UTC with its time zone."""
        return value and value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own idiom
        dict[str, Any]: JSON,
        datetime: UtcDateTime,
    }


class ExperimentRow(Base):
    """A research that has ended, whatever its outcome."""

    __tablename__ = "experiments"

    operation_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    symbol: Mapped[str]
    timeframe: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    data_hash: Mapped[str | None] = mapped_column(index=True)
    strategy: Mapped[dict[str, Any] | None]
    metrics: Mapped[dict[str, Any] | None]
    verdict: Mapped[str | None]
    error: Mapped[str | None]
    cancellation_reason: Mapped[str | None]
    progress: Mapped[float | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime] = mapped_column(index=True)
    designer: Mapped[str | None]
    model: Mapped[str | None]
    brief: Mapped[str | None]
    strategy_name: Mapped[str | None]
    # Copied from `metrics`, because lists are sorted by these columns.
    sharpe: Mapped[float | None]
    sharpe_low: Mapped[float | None]
    sharpe_high: Mapped[float | None]
    deflated_sharpe: Mapped[float | None]
    development_sharpe: Mapped[float | None]
    total_return: Mapped[float | None]
    cost_microdollars: Mapped[int | None] = mapped_column(BigInteger)
    request: Mapped[dict[str, Any] | None]
    versions: Mapped[dict[str, Any] | None]
    reproduces: Mapped[str | None]


class BarsMixin:
    """The columns of a row about certain bars."""

    data_hash: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str]
    timeframe: Mapped[str]

    @classmethod
    def is_on(cls, data: DataSource) -> ColumnElement[bool]:
        """Select the rows about these bars, or about others of the same symbol and timeframe.

        Bars that grow every night have a new hash every day. The counts must not start anew.
        """
        return or_(
            cls.data_hash == data.content_hash,
            and_(cls.symbol == data.symbol, cls.timeframe == data.timeframe),
        )


class TrialRow(BarsMixin, Base):
    """A candidate that was scored."""

    __tablename__ = "trials"
    __table_args__ = (
        Index("ix_trials_data_hash_sharpe", "data_hash", "sharpe"),
        Index("ix_trials_symbol_timeframe", "symbol", "timeframe"),
    )

    # A candidate that is scored again on the same bars is no new chance to be lucky.
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    sharpe: Mapped[float | None]
    parameters: Mapped[dict[str, Any]]


class LookRow(BarsMixin, Base):
    """A model that traded a holdout."""

    __tablename__ = "looks"
    __table_args__ = (Index("ix_looks_symbol_timeframe", "symbol", "timeframe"),)

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    model_sha256: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str]


class HypothesisRow(Base):
    """A hypothesis that an assessment suggested."""

    __tablename__ = "hypotheses"
    __table_args__ = (Index("ix_hypotheses_symbol_status", "symbol", "timeframe", "status"),)

    hypothesis_id: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str]
    timeframe: Mapped[str]
    statement: Mapped[str]
    test: Mapped[dict[str, Any] | None]
    status: Mapped[str]
    by_holdout: Mapped[bool] = mapped_column(server_default=true())
    operation_id: Mapped[str]
    created_at: Mapped[datetime]
    tested_by: Mapped[str | None]
    tested_at: Mapped[datetime | None]


class SpendingRow(Base):
    """A call of a language model: first the amount set aside, then also its cost."""

    __tablename__ = "spending"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(index=True)
    day: Mapped[date] = mapped_column(index=True)
    model: Mapped[str]
    reserved_microdollars: Mapped[int] = mapped_column(BigInteger)
    cost_microdollars: Mapped[int | None] = mapped_column(BigInteger)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cache_read_tokens: Mapped[int | None]
    cache_write_tokens: Mapped[int | None]
    created_at: Mapped[datetime]


class BudgetDayRow(Base):
    """The total of one day. One statement compares it with the limit and adds to it."""

    __tablename__ = "budget_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    committed_microdollars: Mapped[int] = mapped_column(BigInteger)
