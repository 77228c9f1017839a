"""Experiments: every research that has ended, with its outcome."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, func, select

from errors import ExperimentNotFound, InvalidInput
from quant.wording import say_missing
from storage.ledger.database import Database
from storage.ledger.identities import keep_symbols
from storage.ledger.records import MAX_TAGS, Experiment, ExperimentSummary, TagCount
from storage.ledger.rows import ExperimentRow, ExperimentTagRow, to_dollars, to_microdollars
from storage.ledger.selection import (
    IS_ORIGINAL,
    ExperimentOrder,
    build_conditions,
    contains,
    has_tag,
    select_count,
    select_sorted,
)

# A resumed research is recorded again. What people have written about it stays.
_WRITTEN_BY_PEOPLE: Final = {"note", "tags"}


class Experiments:
    """The table of experiments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, experiment: Experiment) -> None:
        """Insert the experiment, or replace the earlier record of it."""
        values = _to_values(experiment)
        with self._database.begin_writing() as session:
            symbols = (experiment.request or {}).get("symbols") or ()
            keep_symbols(self._database, session, experiment.symbol, symbols)
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

    def annotate(
        self,
        operation_id: str,
        *,
        note: str | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> Experiment:
        """Change what people have written about an experiment, and return the experiment.

        Args:
            operation_id: Id of the experiment.
            note: The new note; an empty one removes the note. None leaves it as it is.
            add_tags: Tags to add. One that it has already is no error.
            remove_tags: Tags to remove.

        Raises:
            ExperimentNotFound: None has this id.
            InvalidInput: It would have too many tags.
        """
        of_experiment = ExperimentTagRow.operation_id == operation_id
        with self._database.begin_writing() as session:
            # The row is locked, so that two writers cannot exceed the number of tags together.
            row = session.get(ExperimentRow, operation_id, with_for_update=True)
            if row is None:
                raise ExperimentNotFound(say_missing("experiment", operation_id))
            if note is not None:
                row.note = note or None
                session.flush()
            if remove_tags:
                removed = ExperimentTagRow.tag.in_(remove_tags)
                session.execute(delete(ExperimentTagRow).where(of_experiment, removed))
            if add_tags:
                rows = [
                    {"operation_id": operation_id, "tag": tag} for tag in dict.fromkeys(add_tags)
                ]
                insert = self._database.insert(ExperimentTagRow).on_conflict_do_nothing()
                session.execute(insert, rows)
            session.expire(row)
            if len(row.tags) > MAX_TAGS:
                raise InvalidInput(
                    f"add_tags: {operation_id} would have {len(row.tags)} tags; it may have "
                    f"{MAX_TAGS}.",
                    field="add_tags",
                )
            return _to_experiment(row)

    def count_tags(self, *, owner: str | None = None, limit: int = 1000) -> list[TagCount]:
        """Return the tags in use, the most frequent first.

        Args:
            owner: Only of this owner's experiments. None for all owners.
            limit: The most tags.
        """
        number = func.count()
        statement = (
            select(ExperimentTagRow.tag, number)
            .group_by(ExperimentTagRow.tag)
            .order_by(number.desc(), ExperimentTagRow.tag)
            .limit(limit)
        )
        if owner is not None:
            own = select(ExperimentRow.operation_id).where(ExperimentRow.owner == owner)
            statement = statement.where(ExperimentTagRow.operation_id.in_(own))
        with self._database.begin_reading() as session:
            rows = session.execute(statement).all()
        return [TagCount(tag=tag, experiments=experiments) for tag, experiments in rows]

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

    def list_durations(self, limit: int) -> list[float]:
        """Return how many seconds the last completed researches took from start to end."""
        statement = (
            select(ExperimentRow.started_at, ExperimentRow.finished_at)
            .where(ExperimentRow.status == "completed")
            .order_by(ExperimentRow.finished_at.desc())
            .limit(limit)
        )
        with self._database.begin_reading() as session:
            return [
                (row.finished_at - row.started_at).total_seconds()
                for row in session.execute(statement)
            ]

    def find(
        self,
        *,
        originals: bool = False,
        tag: str | None = None,
        text: str | None = None,
        order: ExperimentOrder = ExperimentOrder.FINISHED_AT,
        descending: bool = True,
        limit: int,
        offset: int = 0,
        **equals: str | None,
    ) -> tuple[list[ExperimentSummary], int]:
        """Return one page of experiments, and their total number.

        Args:
            originals: Whether reproductions are left out.
            tag: Only those with this tag.
            text: Only those with this text in their id, symbol, owner, strategy, brief or note.
            order: The figure to sort by. Experiments without it come last.
            descending: Whether the largest figure comes first.
            limit: The longest page.
            offset: How many experiments to skip.
            equals: The value of each column by its name. None accepts every value.
        """
        conditions = build_conditions(equals) + [IS_ORIGINAL] * originals
        if tag is not None:
            conditions.append(has_tag(tag))
        if text is not None:
            conditions.append(contains(text))
        statement = select_sorted(order, descending, conditions).limit(limit).offset(offset)
        with self._database.begin_reading() as session:
            rows = session.scalars(statement).all()
            total = session.scalar(select_count(conditions)) or 0
            return [summarise(row) for row in rows], total

    def find_originals(
        self, limit: int, *, order: ExperimentOrder, descending: bool, **equals: str | None
    ) -> list[Experiment]:
        """Return the first experiments in an order, in full; reproductions are left out."""
        with self._database.begin_reading() as session:
            conditions = [*build_conditions(equals), IS_ORIGINAL]
            rows = session.scalars(select_sorted(order, descending, conditions).limit(limit))
            return [_to_experiment(row) for row in rows]


def _to_values(experiment: Experiment) -> dict[str, Any]:
    values = experiment.model_dump(exclude={"cost", *_WRITTEN_BY_PEOPLE})
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
