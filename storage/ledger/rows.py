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
    select,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship

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
        list[Any]: JSON(none_as_null=True),
        datetime: UtcDateTime,
    }


class ExperimentTagRow(Base):
    """A tag of an experiment."""

    __tablename__ = "experiment_tags"

    operation_id: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True)


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
    note: Mapped[str | None]
    tag_rows: Mapped[list[ExperimentTagRow]] = relationship(
        primaryjoin=lambda: ExperimentRow.operation_id == foreign(ExperimentTagRow.operation_id),
        order_by=ExperimentTagRow.tag,
        lazy="selectin",
        viewonly=True,
    )

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, in their order."""
        return tuple(row.tag for row in self.tag_rows)


class UniverseRow(Base):
    """An instrument of a universe, by the names of both."""

    __tablename__ = "universes"

    name: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True, index=True)

    @classmethod
    def is_one_of(cls, symbol: Mapped[str], data: DataSource) -> ColumnElement[bool]:
        """Select the symbols that these bars are known by: the name, and all instruments."""
        return or_(
            symbol.in_((data.symbol, *data.symbols)),
            symbol.in_(select(cls.symbol).where(cls.name == data.symbol)),
        )


class BarSetRow(Base):
    """Bars that were seen under a name, and the market that they are of."""

    __tablename__ = "bar_sets"

    data_hash: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    timeframe: Mapped[str] = mapped_column(primary_key=True)
    market: Mapped[str] = mapped_column(index=True)
    sketch: Mapped[list[Any] | None]
    # ISO 8601 in UTC, which sorts by time.
    holdout_start: Mapped[str]
    end: Mapped[str]

    @classmethod
    def is_named(cls, data: DataSource) -> ColumnElement[bool]:
        """Select these bars, and all of the same symbols and timeframe."""
        return or_(
            cls.data_hash == data.content_hash,
            and_(UniverseRow.is_one_of(cls.symbol, data), cls.timeframe == data.timeframe),
        )


class BarsMixin:
    """The columns of a row about certain bars, an entry of the chain."""

    # First in the key, as the index of the key finds rows by bars.
    data_hash: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    symbol: Mapped[str]
    timeframe: Mapped[str]
    # Null until the row has joined the chain, as in rows of earlier versions.
    entry: Mapped[int | None] = mapped_column(BigInteger, index=True)
    entry_hash: Mapped[str | None]

    @classmethod
    def is_on(cls, data: DataSource) -> ColumnElement[bool]:
        """Select the rows about these bars, or about others of the same market.

        Bars of the same symbol and timeframe are of one market: those that grow every night have a
        new hash every day, and the counts must not start anew. So are bars under other names that
        resemble them. A universe is about the markets of all its instruments, and has the rows of
        all universes and instruments with which it has a market in common.
        """
        markets = select(BarSetRow.market).where(BarSetRow.is_named(data))
        of_market = select(BarSetRow).where(BarSetRow.market.in_(markets))
        named = select(UniverseRow.name).where(UniverseRow.is_one_of(UniverseRow.symbol, data))
        return or_(
            cls.data_hash == data.content_hash,
            and_(UniverseRow.is_one_of(cls.symbol, data), cls.timeframe == data.timeframe),
            of_market.where(
                or_(
                    BarSetRow.data_hash == cls.data_hash,
                    and_(BarSetRow.symbol == cls.symbol, BarSetRow.timeframe == cls.timeframe),
                )
            ).exists(),
            and_(cls.timeframe == data.timeframe, cls.symbol.in_(named)),
            of_market.join(UniverseRow, UniverseRow.symbol == BarSetRow.symbol)
            .where(UniverseRow.name == cls.symbol, BarSetRow.timeframe == cls.timeframe)
            .exists(),
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
    trades: Mapped[int | None]


class LookRow(BarsMixin, Base):
    """A model that traded a holdout."""

    __tablename__ = "looks"
    __table_args__ = (Index("ix_looks_symbol_timeframe", "symbol", "timeframe"),)

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    model_sha256: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str]
    # Times of the first and the last bar that was traded; null in rows of earlier versions.
    first_bar: Mapped[str | None]
    last_bar: Mapped[str | None]


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


# Money is kept in whole millionths of a dollar, so that sums are exact.
MICRODOLLARS_PER_DOLLAR = 1_000_000


def to_microdollars(amount: float) -> int:
    """Convert dollars to microdollars."""
    return round(amount * MICRODOLLARS_PER_DOLLAR)


def to_dollars(microdollars: int | None) -> float | None:
    """Convert microdollars to dollars; None stays None."""
    return None if microdollars is None else microdollars / MICRODOLLARS_PER_DOLLAR
