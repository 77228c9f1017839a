"""What a designer may learn: hypotheses from the walk-forward, and its Sharpe ratio."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both. Hypotheses of unknown origin, those of earlier code, count as by the holdout."""
    with op.batch_alter_table("hypotheses") as hypotheses:
        hypotheses.add_column(
            sa.Column("by_holdout", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("development_sharpe", sa.Double()))


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_column("development_sharpe")
    with op.batch_alter_table("hypotheses") as hypotheses:
        hypotheses.drop_column("by_holdout")
