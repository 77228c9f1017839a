"""Alembic's entry point: runs the migrations on the caller's connection and transaction."""

from alembic import context

from storage.ledger.rows import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
