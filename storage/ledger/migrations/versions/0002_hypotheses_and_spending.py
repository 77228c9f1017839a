"""Hypotheses and spending; what experiments are sorted by."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _added() -> list[sa.Column[Any]]:
    return [
        sa.Column("designer", sa.String()),
        sa.Column("model", sa.String()),
        sa.Column("brief", sa.String()),
        sa.Column("strategy_name", sa.String()),
        sa.Column("sharpe", sa.Double()),
        sa.Column("deflated_sharpe", sa.Double()),
        sa.Column("total_return", sa.Double()),
        sa.Column("cost_microdollars", sa.BigInteger()),
    ]


def upgrade() -> None:
    """Make the tables, and fill the new columns from what is known."""
    with op.batch_alter_table("experiments") as experiments:
        for column in _added():
            experiments.add_column(column)
        experiments.alter_column("seed", type_=sa.BigInteger())
    op.create_index("ix_experiments_finished_at", "experiments", ["finished_at"])
    op.create_index("ix_trials_data_hash_sharpe", "trials", ["data_hash", "sharpe"])
    op.create_table(
        "hypotheses",
        sa.Column("hypothesis_id", sa.String(), primary_key=True),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("test", sa.JSON()),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("tested_by", sa.String()),
        sa.Column("tested_at", sa.DateTime()),
    )
    op.create_index("ix_hypotheses_symbol_status", "hypotheses", ["symbol", "timeframe", "status"])
    op.create_table(
        "spending",
        sa.Column("call_id", sa.String(), primary_key=True),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("reserved_microdollars", sa.BigInteger(), nullable=False),
        sa.Column("cost_microdollars", sa.BigInteger()),
        sa.Column("input_tokens", sa.Integer()),
        sa.Column("output_tokens", sa.Integer()),
        sa.Column("cache_read_tokens", sa.Integer()),
        sa.Column("cache_write_tokens", sa.Integer()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_spending_operation_id", "spending", ["operation_id"])
    op.create_index("ix_spending_day", "spending", ["day"])
    op.create_table(
        "budget_days",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("committed_microdollars", sa.BigInteger(), nullable=False),
    )
    _fill()


def downgrade() -> None:
    """Forget hypotheses and spending."""
    for table in ("budget_days", "spending", "hypotheses"):
        op.drop_table(table)
    op.drop_index("ix_trials_data_hash_sharpe", "trials")
    op.drop_index("ix_experiments_finished_at", "experiments")
    with op.batch_alter_table("experiments") as experiments:
        for column in _added():
            experiments.drop_column(column.name)
        experiments.alter_column("seed", type_=sa.Integer())


def _fill() -> None:
    table = sa.table(
        "experiments",
        sa.column("operation_id"),
        sa.column("metrics", sa.JSON()),
        sa.column("strategy", sa.JSON()),
        *(sa.column(name) for name in ("strategy_name", "sharpe", "deflated_sharpe")),
        sa.column("total_return"),
    )
    connection = op.get_bind()
    for operation_id, metrics, strategy in connection.execute(
        sa.select(table.c.operation_id, table.c.metrics, table.c.strategy)
    ).all():
        statistics = (metrics or {}).get("statistics") or {}
        backtest = (metrics or {}).get("backtest_result") or {}
        connection.execute(
            table.update()
            .where(table.c.operation_id == operation_id)
            .values(
                strategy_name=(strategy or {}).get("name"),
                sharpe=statistics.get("sharpe", backtest.get("sharpe_ratio")),
                deflated_sharpe=statistics.get("deflated_sharpe"),
                total_return=backtest.get("total_return"),
            )
        )
