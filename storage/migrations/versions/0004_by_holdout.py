"""What may be told to a designer: hypotheses by the walk-forward, and its Sharpe ratio."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both. What earlier hypotheses came from is not known, so they count as by the holdout."""
    with op.batch_alter_table("hypotheses") as hypotheses:
        hypotheses.add_column(
            sa.Column("by_holdout", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("hypotheses") as hypotheses:
        hypotheses.alter_column("by_holdout", server_default=None)
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("development_sharpe", sa.Double()))


def downgrade() -> None:
    """Forget both."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_column("development_sharpe")
    with op.batch_alter_table("hypotheses") as hypotheses:
        hypotheses.drop_column("by_holdout")
