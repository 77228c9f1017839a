"""The connection to the database of the ledger, SQLite or PostgreSQL, and its migrations."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from errors import LedgerUnavailable

_log = logging.getLogger(__name__)

# Ledgers older than the migrations have the tables of this revision.
_FIRST_REVISION = "0001"
_VERSION_TABLE = "alembic_version"
_POSTGRESQL_DRIVER = "postgresql+pg8000"
# An arbitrary number that nothing else in the database locks.
_MIGRATION_LOCK = 0x6B_74_72_64_72
_SQLITE_BEGIN = "sqlite_begin"


class Revisions(NamedTuple):
    """The state of the tables before and after an upgrade; None for no tables."""

    before: str | None
    after: str | None


class Database:
    """A pool of connections.

    Args:
        url: SQLAlchemy URL, `sqlite:///…` or `postgresql://…`.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._url = parsed
        self._engine = _engine(parsed)
        # On SQLite a writing transaction takes the lock at its beginning, because one that has
        # already read can no longer wait for it.
        self._writer = self._engine.execution_options(**{_SQLITE_BEGIN: "IMMEDIATE"})
        self.insert = postgresql.insert if self.is_postgresql else sqlite.insert

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; SQLite if not."""
        return self._engine.dialect.name == "postgresql"

    def upgrade(self) -> Revisions:
        """Create or migrate the tables for this version; several processes may do so at once.

        Tables of a later version stay as they are: migrations only add, so this code works with
        them too, and a rollback needs no step of its own.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        with _unavailable(), self._sqlite_prepared(), self._writer.begin() as connection:
            if self.is_postgresql:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            before = _revision(connection)
            config = migrations(connection)
            if before is not None and before not in _known_revisions(config):
                _log.warning("the ledger is newer than this version: %s", before)
                return Revisions(before, before)
            if _is_from_before(connection):
                command.stamp(config, _FIRST_REVISION)
            command.upgrade(config, "head")
            return Revisions(before, _revision(connection))

    @contextmanager
    def _sqlite_prepared(self) -> Iterator[None]:
        """Let one process after another migrate a file, however long each of them takes.

        SQLite's own lock is waited for only so long, and not at all by whoever switches a new file
        to write-ahead logging. So there is another lock around it, on the directory: it leaves no
        file behind, and the system releases it when its holder dies.
        """
        if self.is_postgresql:
            yield
            return
        directory = Path(self._url.database or "").parent
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Not in a transaction. The file keeps it, and readers never block from then on.
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=wal")
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that changes nothing.

        Raises:
            LedgerUnavailable: the database does not answer, or has no tables yet.
        """
        with _unavailable(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session that commits at the end, or rolls back if there is an exception.

        Raises:
            LedgerUnavailable: the database does not answer, or has no tables yet.
        """
        with _unavailable(), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a plain connection."""
        with _unavailable(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def migrations(connection: Connection) -> Config:
    """Return what Alembic needs to work on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known_revisions(config: Config) -> set[str]:
    return {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}


def _is_from_before(connection: Connection) -> bool:
    tables = inspect(connection).get_table_names()
    return bool(tables) and _VERSION_TABLE not in tables


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except NoConnection:
        raise LedgerUnavailable("The ledger does not answer: no connection is free") from None
    except (DatabaseError, InterfaceError) as error:
        # SQLAlchemy's message contains the statement with its values; the driver's does not.
        raise LedgerUnavailable(f"The ledger does not answer: {error.orig}") from None


def _engine(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername=_POSTGRESQL_DRIVER)
    engine = create_engine(url, pool_pre_ping=url.drivername.startswith("postgresql"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Let several processes write: they wait for each other."""
    # Transactions begin below, not by Python's own guess.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_SQLITE_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {begin}")
