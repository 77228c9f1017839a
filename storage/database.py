"""The connection to the database of the ledger, SQLite or PostgreSQL, and its migrations."""

import fcntl
import logging
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    create_engine,
    event,
    inspect,
    make_url,
)
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

# How long the database may stay silent in the middle of a connection or a statement. It gives up a
# statement itself a little earlier, which keeps the connection.
_SECONDS_OF_SILENCE = 5.0
_SECONDS_FOR_A_STATEMENT = 4.5
# A migration may rewrite a table, or wait for another process that does.
_SECONDS_FOR_A_MIGRATION = 300.0
_SECONDS_BETWEEN_ATTEMPTS = 0.05


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
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername=_POSTGRESQL_DRIVER)
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
        with _unavailable(), self._migrating() as connection:
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

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """Yield a transaction with time for a migration, to one process after another."""
        if not self.is_postgresql:
            with self._sqlite_locked(), self._writer.begin() as connection:
                yield connection
            return
        with self.connection():
            pass  # A database that does not answer at all is not waited for as long as a migration.
        patient = create_engine(
            self._url, connect_args={"timeout": _SECONDS_FOR_A_MIGRATION}, poolclass=NullPool
        )
        with patient.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            yield connection

    @contextmanager
    def _sqlite_locked(self) -> Iterator[None]:
        """Lock the file's directory, and switch the file to write-ahead logging.

        SQLite's own lock is waited for only so long, and not at all by a process that switches a
        new file to write-ahead logging. This lock leaves no file behind, and the system releases it
        when its holder dies.
        """
        directory = Path(self._url.database or "").parent
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            _lock(descriptor)
            # Not in a transaction. The file keeps it, and readers never block from then on.
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=wal")
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait for a lock on a file.

    Raises:
        TimeoutError: its holder does not release it.
    """
    deadline = time.monotonic() + _SECONDS_FOR_A_MIGRATION
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process has been migrating it for too long") from None
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


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
        raise LedgerUnavailable(f"The ledger does not answer: {_said(error.orig)}") from None
    except OSError as error:
        # Its frames refer to each other and to the socket, which would stay open for a while.
        traceback.clear_frames(error.__traceback__)
        raise LedgerUnavailable(f"The ledger does not answer: {error}") from None


def _said(error: BaseException | None) -> str:
    """Return the message of an error of a driver; that for PostgreSQL gives the fields of it."""
    fields = error.args[0] if error is not None and error.args else error
    return str(fields.get("M", fields) if isinstance(fields, dict) else fields)


def _engine(url: URL) -> Engine:
    if url.drivername != _POSTGRESQL_DRIVER:
        engine = create_engine(url, pool_timeout=_SECONDS_OF_SILENCE)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _tune_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine
    statement = f"{_SECONDS_FOR_A_STATEMENT * 1000:.0f}"
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=_SECONDS_OF_SILENCE,
        connect_args={
            "timeout": _SECONDS_OF_SILENCE,
            "startup_params": {"statement_timeout": statement},
        },
    )
    event.listen(engine, "handle_error", _give_up_the_silent)
    return engine


def _give_up_the_silent(failed: ExceptionContext) -> None:
    """Close a connection on which no answer came; the driver lets the socket's own error through.

    What it was asked might still be answered, and would be taken for the answer to the next one.
    """
    if isinstance(failed.original_exception, OSError):
        failed.is_disconnect = True


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Let several processes write: they wait for each other."""
    # Transactions begin below, not by Python's own guess.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_SQLITE_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {begin}")
