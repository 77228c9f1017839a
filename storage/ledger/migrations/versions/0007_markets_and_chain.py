"""Markets under all their names; the range of a look; the chain of trials and looks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_CHAINED = ("trials", "looks")


def upgrade() -> None:
    """Add all. Earlier rows join the chain with the next write; their looks never expire."""
    op.create_table(
        "bar_sets",
        sa.Column("data_hash", sa.String(), primary_key=True),
        sa.Column("symbol", sa.String(), primary_key=True),
        sa.Column("timeframe", sa.String(), primary_key=True),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("sketch", sa.JSON()),
        sa.Column("holdout_start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
    )
    op.create_index("ix_bar_sets_market", "bar_sets", ["market"])
    for name in _CHAINED:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("entry", sa.BigInteger()))
            table.add_column(sa.Column("entry_hash", sa.String()))
        op.create_index(f"ix_{name}_entry", name, ["entry"])
    with op.batch_alter_table("looks") as looks:
        looks.add_column(sa.Column("first_bar", sa.String()))
        looks.add_column(sa.Column("last_bar", sa.String()))


def downgrade() -> None:
    """Forget all."""
    with op.batch_alter_table("looks") as looks:
        looks.drop_column("last_bar")
        looks.drop_column("first_bar")
    for name in _CHAINED:
        op.drop_index(f"ix_{name}_entry", name)
        with op.batch_alter_table(name) as table:
            table.drop_column("entry_hash")
            table.drop_column("entry")
    op.drop_index("ix_bar_sets_market", "bar_sets")
    op.drop_table("bar_sets")
