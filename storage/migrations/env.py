"""Alembic's entry: run the migrations on the connection and in the transaction of the caller."""

from alembic import context

from storage.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
