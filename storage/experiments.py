"""Experiments: every research that has ended, with its outcome."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from storage.database import Database
from storage.money import to_dollars, to_microdollars
from storage.records import Experiment, ExperimentSummary
from storage.rows import ExperimentRow


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
        """Insert the experiment, or replace the earlier record of it."""
        values = _to_values(experiment)
        with self._database.begin_writing() as session:
            session.execute(
                self._database.insert(ExperimentRow)
                .values(values)
                .on_conflict_do_update(index_elements=["operation_id"], set_=values)
            )

    def get(self, operation_id: str) -> Experiment | None:
        """Return the experiment, or None if none has this id."""
        with self._database.begin_reading() as session:
            row = session.get(ExperimentRow, operation_id)
            return _to_experiment(row) if row else None

    def get_newest_data_hash(self, symbol: str, timeframe: str) -> str | None:
        """Return the hash of the bars that the newest research used; None if there is none."""
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
        with self._database.begin_reading() as session:
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
        """Return one page of experiments, and their total number.

        Args:
            originals: Whether reproductions are left out.
            order: The figure to sort by. Experiments without it come last.
            descending: Whether the largest figure comes first.
            limit: The longest page.
            offset: How many experiments to skip.
            equals: The value of each column by its name. None accepts every value.
        """
        conditions = build_conditions(equals) + [IS_ORIGINAL] * originals
        statement = _select_sorted(order, descending, conditions).limit(limit).offset(offset)
        with self._database.begin_reading() as session:
            rows = session.scalars(statement).all()
            total = session.scalar(_select_count(conditions)) or 0
            return [summarise(row) for row in rows], total

    def find_originals(
        self, limit: int, *, order: ExperimentOrder, descending: bool, **equals: str | None
    ) -> list[Experiment]:
        """Return the first experiments in an order, in full; reproductions are left out."""
        with self._database.begin_reading() as session:
            conditions = [*build_conditions(equals), IS_ORIGINAL]
            rows = session.scalars(_select_sorted(order, descending, conditions).limit(limit))
            return [_to_experiment(row) for row in rows]


def _select_sorted(
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


def _select_count(conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    return select(func.count()).select_from(ExperimentRow).where(*conditions)


def build_conditions(equals: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    """Return one condition for each column; a value of None sets none."""
    return [
        getattr(ExperimentRow, name) == value for name, value in equals.items() if value is not None
    ]


def _to_values(experiment: Experiment) -> dict[str, Any]:
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
        "cost_microdollars": None if experiment.cost is None else to_microdollars(experiment.cost),
    }


def _to_experiment(row: ExperimentRow) -> Experiment:
    known = {name: getattr(row, name) for name in Experiment.model_fields if hasattr(row, name)}
    return Experiment(**known, cost=to_dollars(row.cost_microdollars))


def summarise(row: ExperimentRow) -> ExperimentSummary:
    """Return an experiment as one row of a list."""
    known = {
        name: getattr(row, name) for name in ExperimentSummary.model_fields if hasattr(row, name)
    }
    statistics = (row.metrics or {}).get("statistics") or {}
    return ExperimentSummary(
        **known,
        trials_ever=statistics.get("trials_ever"),
        cost=to_dollars(row.cost_microdollars),
    )
