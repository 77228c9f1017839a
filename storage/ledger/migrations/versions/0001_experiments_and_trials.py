"""Experiments and trials."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiments",
        sa.Column("operation_id", sa.String(), primary_key=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("data_hash", sa.String()),
        sa.Column("strategy", sa.JSON()),
        sa.Column("metrics", sa.JSON()),
        sa.Column("verdict", sa.String()),
        sa.Column("error", sa.String()),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_experiments_data_hash", "experiments", ["data_hash"])
    op.create_index("ix_experiments_owner", "experiments", ["owner"])
    op.create_table(
        "trials",
        sa.Column("data_hash", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sharpe", sa.Double()),
        sa.Column("parameters", sa.JSON(), nullable=False),
    )
    op.create_index("ix_trials_operation_id", "trials", ["operation_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("trials")
    op.drop_table("experiments")
