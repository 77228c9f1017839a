"""Experiments: every research that has ended, with its outcome."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from storage.database import Database
from storage.money import dollars, micro
from storage.records import Experiment, ExperimentSummary
from storage.tables import ExperimentRow


class ExperimentOrder(StrEnum):
    """Sort orders of a list of experiments."""

    FINISHED_AT = "finished_at"
    SHARPE = "sharpe"
    DEFLATED_SHARPE = "deflated_sharpe"
    DEVELOPMENT_SHARPE = "development_sharpe"
    TOTAL_RETURN = "total_return"
    COST = "cost"


_COLUMN: dict[ExperimentOrder, InstrumentedAttribute[Any]] = {
    ExperimentOrder.FINISHED_AT: ExperimentRow.finished_at,
    ExperimentOrder.SHARPE: ExperimentRow.sharpe,
    ExperimentOrder.DEFLATED_SHARPE: ExperimentRow.deflated_sharpe,
    ExperimentOrder.DEVELOPMENT_SHARPE: ExperimentRow.development_sharpe,
    ExperimentOrder.TOTAL_RETURN: ExperimentRow.total_return,
    ExperimentOrder.COST: ExperimentRow.cost_microdollars,
}

IS_ORIGINAL = ExperimentRow.reproduces.is_(None)


class Experiments:
    """The table of experiments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, experiment: Experiment) -> None:
        """Insert the experiment, or replace what is known about it."""
        values = _row(experiment)
        with self._database.writing() as session:
            session.execute(
                self._database.insert(ExperimentRow)
                .values(values)
                .on_conflict_do_update(index_elements=["operation_id"], set_=values)
            )

    def get(self, operation_id: str) -> Experiment | None:
        """Return what is recorded under this id."""
        with self._database.reading() as session:
            row = session.get(ExperimentRow, operation_id)
            return _experiment(row) if row else None

    def newest_data_hash(self, symbol: str, timeframe: str) -> str | None:
        """Return the content hash of the bars that the newest research on them used."""
        statement = (
            select(ExperimentRow.data_hash)
            .where(
                ExperimentRow.symbol == symbol,
                ExperimentRow.timeframe == timeframe,
                ExperimentRow.data_hash.is_not(None),
            )
            .order_by(ExperimentRow.finished_at.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            return session.scalar(statement)

    def find(
        self,
        *,
        originals: bool = False,
        order: ExperimentOrder = ExperimentOrder.FINISHED_AT,
        descending: bool = True,
        limit: int,
        offset: int = 0,
        **equals: str | None,
    ) -> tuple[list[ExperimentSummary], int]:
        """Return a page of experiments, and how many there are in all.

        Args:
            originals: whether to leave out reproductions.
            order: what to sort by; experiments without such a figure come last.
            descending: whether the greatest come first.
            limit: how many to return at most.
            offset: how many to skip.
            equals: columns and the values that they must have; None is no condition.
        """
        conditions = matching(equals) + [IS_ORIGINAL] * originals
        statement = _sorted(order, descending, conditions).limit(limit).offset(offset)
        with self._database.reading() as session:
            rows = session.scalars(statement).all()
            total = session.scalar(_count(conditions)) or 0
            return [summary_of(row) for row in rows], total

    def first(
        self, limit: int, *, order: ExperimentOrder, descending: bool, **equals: str | None
    ) -> list[Experiment]:
        """Return the first original experiments in an order, with all that is known of them."""
        with self._database.reading() as session:
            conditions = [*matching(equals), IS_ORIGINAL]
            rows = session.scalars(_sorted(order, descending, conditions).limit(limit))
            return [_experiment(row) for row in rows]


def _sorted(
    order: ExperimentOrder, descending: bool, conditions: Sequence[ColumnElement[bool]]
) -> Select[ExperimentRow]:
    column = _COLUMN[order]
    return (
        select(ExperimentRow)
        .where(*conditions)
        .order_by(
            (column.desc() if descending else column.asc()).nulls_last(),
            ExperimentRow.operation_id,
        )
    )


def _count(conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    return select(func.count()).select_from(ExperimentRow).where(*conditions)


def matching(equals: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    """Return that these columns have these values; None is no condition."""
    return [
        getattr(ExperimentRow, name) == value for name, value in equals.items() if value is not None
    ]


def _row(experiment: Experiment) -> dict[str, Any]:
    values = experiment.model_dump(exclude={"cost"})
    metrics = experiment.metrics or {}
    statistics = metrics.get("statistics") or {}
    backtest = metrics.get("backtest_result") or {}
    return values | {
        "strategy_name": (experiment.strategy or {}).get("name"),
        "sharpe": statistics.get("sharpe", backtest.get("sharpe_ratio")),
        "sharpe_low": statistics.get("sharpe_low"),
        "sharpe_high": statistics.get("sharpe_high"),
        "deflated_sharpe": statistics.get("deflated_sharpe"),
        "development_sharpe": metrics.get("development_sharpe"),
        "total_return": backtest.get("total_return"),
        "cost_microdollars": None if experiment.cost is None else micro(experiment.cost),
    }


def _experiment(row: ExperimentRow) -> Experiment:
    known = {name: getattr(row, name) for name in Experiment.model_fields if hasattr(row, name)}
    return Experiment(**known, cost=dollars(row.cost_microdollars))


def summary_of(row: ExperimentRow) -> ExperimentSummary:
    """Return a row of a list."""
    known = {
        name: getattr(row, name) for name in ExperimentSummary.model_fields if hasattr(row, name)
    }
    statistics = (row.metrics or {}).get("statistics") or {}
    return ExperimentSummary(
        **known,
        trials_ever=statistics.get("trials_ever"),
        cost=dollars(row.cost_microdollars),
    )
