"""How a research ended: the reason of a cancel, and how far it was."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add both. They are unknown for earlier researches."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("cancellation_reason", sa.String()))
        experiments.add_column(sa.Column("progress", sa.Double()))


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_column("progress")
        experiments.drop_column("cancellation_reason")
