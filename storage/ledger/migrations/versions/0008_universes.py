"""The instruments of universes: their trials and looks count on each of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table. Earlier rows are all about one instrument."""
    op.create_table(
        "universes",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("symbol", sa.String(), primary_key=True),
    )
    op.create_index("ix_universes_symbol", "universes", ["symbol"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_universes_symbol", "universes")
    op.drop_table("universes")
