"""Looks at the holdout; trials by symbol; what a record needs to be reproduced and ranked."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _added() -> list[sa.Column[Any]]:
    return [
        sa.Column("sharpe_low", sa.Double()),
        sa.Column("sharpe_high", sa.Double()),
        sa.Column("request", sa.JSON()),
        sa.Column("versions", sa.JSON()),
        sa.Column("reproduces", sa.String()),
    ]


def upgrade() -> None:
    """Make the table, and find the symbol of earlier trials by their bars."""
    op.create_table(
        "looks",
        sa.Column("data_hash", sa.String(), primary_key=True),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("model_sha256", sa.String(), primary_key=True),
        sa.Column("operation_id", sa.String(), nullable=False),
    )
    op.create_index("ix_looks_symbol_timeframe", "looks", ["symbol", "timeframe"])
    with op.batch_alter_table("trials") as trials:
        for name in ("symbol", "timeframe"):
            trials.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.execute(
        "UPDATE trials SET"
        " symbol = coalesce((SELECT max(e.symbol) FROM experiments e"
        " WHERE e.data_hash = trials.data_hash), ''),"
        " timeframe = coalesce((SELECT max(e.timeframe) FROM experiments e"
        " WHERE e.data_hash = trials.data_hash), '')"
    )
    with op.batch_alter_table("trials") as trials:
        for name in ("symbol", "timeframe"):
            trials.alter_column(name, server_default=None)
    op.create_index("ix_trials_symbol_timeframe", "trials", ["symbol", "timeframe"])
    with op.batch_alter_table("experiments") as experiments:
        for column in _added():
            experiments.add_column(column)


def downgrade() -> None:
    """Forget the looks."""
    with op.batch_alter_table("experiments") as experiments:
        for column in _added():
            experiments.drop_column(column.name)
    op.drop_index("ix_trials_symbol_timeframe", "trials")
    with op.batch_alter_table("trials") as trials:
        for name in ("symbol", "timeframe"):
            trials.drop_column(name)
    op.drop_table("looks")
