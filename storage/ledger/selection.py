"""Which experiments a list shows, and in which order."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from storage.ledger.rows import ExperimentRow, ExperimentTagRow, UniverseRow


class ExperimentOrder(StrEnum):
    """Sort orders of a list of experiments."""

    FINISHED_AT = "finished_at"
    SHARPE = "sharpe"
    DEFLATED_SHARPE = "deflated_sharpe"
    DEVELOPMENT_SHARPE = "development_sharpe"
    TOTAL_RETURN = "total_return"
    COST = "cost"
    SYMBOL = "symbol"
    OWNER = "owner"
    STRATEGY_NAME = "strategy_name"
    VERDICT = "verdict"
    STATUS = "status"


_COLUMN: dict[ExperimentOrder, InstrumentedAttribute[Any]] = {
    ExperimentOrder.FINISHED_AT: ExperimentRow.finished_at,
    ExperimentOrder.SHARPE: ExperimentRow.sharpe,
    ExperimentOrder.DEFLATED_SHARPE: ExperimentRow.deflated_sharpe,
    ExperimentOrder.DEVELOPMENT_SHARPE: ExperimentRow.development_sharpe,
    ExperimentOrder.TOTAL_RETURN: ExperimentRow.total_return,
    ExperimentOrder.COST: ExperimentRow.cost_microdollars,
    ExperimentOrder.SYMBOL: ExperimentRow.symbol,
    ExperimentOrder.OWNER: ExperimentRow.owner,
    ExperimentOrder.STRATEGY_NAME: ExperimentRow.strategy_name,
    ExperimentOrder.VERDICT: ExperimentRow.verdict,
    ExperimentOrder.STATUS: ExperimentRow.status,
}

# Where a text is looked for.
_WORDS: Final = (
    ExperimentRow.operation_id,
    ExperimentRow.symbol,
    ExperimentRow.owner,
    ExperimentRow.strategy_name,
    ExperimentRow.brief,
    ExperimentRow.note,
)

IS_ORIGINAL: Final = ExperimentRow.reproduces.is_(None)


def select_sorted(
    order: ExperimentOrder, descending: bool, conditions: Sequence[ColumnElement[bool]]
) -> Select[ExperimentRow]:
    """Select the experiments that meet all conditions, in an order. Those without it come last."""
    column = _COLUMN[order]
    return (
        select(ExperimentRow)
        .where(*conditions)
        .order_by(
            (column.desc() if descending else column.asc()).nulls_last(),
            ExperimentRow.operation_id,
        )
    )


def select_count(conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    """Count the experiments that meet all conditions."""
    return select(func.count()).select_from(ExperimentRow).where(*conditions)


def build_conditions(equals: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    """Return one condition for each column; a value of None sets none."""
    return [
        _is_about(value) if name == "symbol" else getattr(ExperimentRow, name) == value
        for name, value in equals.items()
        if value is not None
    ]


def _is_about(symbol: str) -> ColumnElement[bool]:
    """Select experiments on one instrument, and on universes that have it."""
    universes = select(UniverseRow.name).where(UniverseRow.symbol == symbol)
    return or_(ExperimentRow.symbol == symbol, ExperimentRow.symbol.in_(universes))


def is_member_of(campaign_id: str) -> ColumnElement[bool]:
    """Return the condition for the members of a campaign: their ids begin with its own."""
    return ExperimentRow.operation_id.startswith(f"{campaign_id}.", autoescape=True)


def has_tag(tag: str) -> ColumnElement[bool]:
    """Return the condition for experiments with this tag."""
    tagged = select(ExperimentTagRow.operation_id).where(ExperimentTagRow.tag == tag)
    return ExperimentRow.operation_id.in_(tagged)


def contains(text: str) -> ColumnElement[bool]:
    """Return the condition for experiments with this text in one of their words."""
    return or_(*(column.icontains(text, autoescape=True) for column in _WORDS))
