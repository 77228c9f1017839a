"""How often a candidate has entered the market."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column. Nobody has counted for earlier rows."""
    with op.batch_alter_table("trials") as trials:
        trials.add_column(sa.Column("trades", sa.Integer()))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("trials") as trials:
        trials.drop_column("trades")
