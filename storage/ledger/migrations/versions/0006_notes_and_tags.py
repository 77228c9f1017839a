"""Notes and tags: what people write about an experiment."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("note", sa.String()))
    op.create_table(
        "experiment_tags",
        sa.Column("operation_id", sa.String(), primary_key=True),
        sa.Column("tag", sa.String(), primary_key=True),
    )
    op.create_index("ix_experiment_tags_tag", "experiment_tags", ["tag"])


def downgrade() -> None:
    """Forget both."""
    op.drop_index("ix_experiment_tags_tag", "experiment_tags")
    op.drop_table("experiment_tags")
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_column("note")
