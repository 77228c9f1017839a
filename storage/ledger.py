"""The ledger: the lasting record of experiments and trials. Never a source of orchestration state.

Written by activities only. Every write may be repeated: recording the same thing twice leaves one
row, because Temporal may run an activity again after its first run had already committed.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import variance
from typing import Any

from sqlalchemy import JSON, Engine, create_engine, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from quant.models import Trial
from quant.spec import Model


class _Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012 - SQLAlchemy's own idiom


class _ExperimentRow(_Base):
    __tablename__ = "experiments"

    operation_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    symbol: Mapped[str]
    timeframe: Mapped[str]
    seed: Mapped[int]
    data_hash: Mapped[str | None] = mapped_column(index=True)
    strategy: Mapped[dict[str, Any] | None]
    metrics: Mapped[dict[str, Any] | None]
    verdict: Mapped[str | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]


class _TrialRow(_Base):
    __tablename__ = "trials"

    # A candidate that is scored again on the same bars is not a new chance to be lucky.
    data_hash: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    operation_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    sharpe: Mapped[float | None]
    parameters: Mapped[dict[str, Any]]


class Experiment(Model):
    """One finished research, whatever its end."""

    operation_id: str
    status: str
    owner: str
    symbol: str
    timeframe: str
    seed: int
    data_hash: str | None = None
    strategy: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    verdict: str | None = None
    error: str | None = None
    started_at: datetime
    finished_at: datetime


class TrialHistory(Model):
    """How often one set of bars has been searched."""

    distinct_trials: int
    sharpe_variance: float | None


class Ledger:
    """Connection to the ledger.

    Args:
        url: SQLAlchemy URL; SQLite and PostgreSQL are supported.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._insert = (
            postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        )

    def create(self) -> None:
        """Make the tables that do not exist yet."""
        _Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def record_experiment(self, experiment: Experiment) -> None:
        """Insert the experiment, or replace what is known about it."""
        values = experiment.model_dump()
        with Session(self._engine) as session, session.begin():
            session.execute(
                self._insert(_ExperimentRow)
                .values(values)
                .on_conflict_do_update(index_elements=["operation_id"], set_=values)
            )

    def experiment(self, operation_id: str) -> Experiment | None:
        """Return what is recorded under this id."""
        with Session(self._engine) as session:
            row = session.get(_ExperimentRow, operation_id)
            return Experiment.model_validate(row, from_attributes=True) if row else None

    def record_trials(self, operation_id: str, data_hash: str, trials: Sequence[Trial]) -> None:
        """Add the trials that nobody has made on these bars before."""
        if not trials:
            return
        rows = [{**trial.model_dump(), "operation_id": operation_id} for trial in trials]
        with Session(self._engine) as session, session.begin():
            session.execute(
                self._insert(_TrialRow).on_conflict_do_nothing(),
                [{**row, "data_hash": data_hash} for row in rows],
            )

    def trial_history(self, data_hash: str) -> TrialHistory:
        """Return how many distinct candidates were ever scored on these bars."""
        with Session(self._engine) as session:
            sharpes = session.scalars(
                select(_TrialRow.sharpe)
                .where(_TrialRow.data_hash == data_hash)
                # Floating-point sums depend on their order, so the order is fixed.
                .order_by(_TrialRow.fingerprint)
            ).all()
        known = [sharpe for sharpe in sharpes if sharpe is not None]
        return TrialHistory(
            distinct_trials=len(sharpes),
            sharpe_variance=variance(known) if len(known) > 1 else None,
        )


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite") and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Let several processes write: wait for each other, and readers never block."""
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA busy_timeout=10000")
