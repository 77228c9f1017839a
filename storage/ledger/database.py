"""The database of the ledger, SQLite or PostgreSQL: connections and migrations."""

import fcntl
import os
import time
import traceback
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from errors import LedgerUnavailable
from storage.ledger.revisions import Revisions, upgrade_tables

_POSTGRESQL_DRIVER = "postgresql+pg8000"
# Arbitrary numbers. Nothing else in the database locks them.
_MIGRATION_LOCK = 0x6B_74_72_64_72
_CHAIN_LOCK = 0x6B_74_72_64_73
_SQLITE_BEGIN = "sqlite_begin"

# How long the database may be silent while it connects or runs a statement. It cancels a statement
# itself a little earlier; that keeps the connection.
_SECONDS_OF_SILENCE = 5.0
_SECONDS_FOR_A_STATEMENT = 4.5
# A migration may rewrite a table, or wait for another process that does.
_SECONDS_FOR_A_MIGRATION = 300.0
_SECONDS_BETWEEN_ATTEMPTS = 0.05


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
        self._engine = _create_engine(parsed)
        # Python warns of a connection to SQLite that it finds unclosed. At the end of the process
        # the system closes them, faster than a database that is silent lets itself be closed.
        weakref.finalize(self, self._engine.dispose).atexit = False
        # On SQLite a writing transaction takes the lock at its beginning. One that has already read
        # cannot wait for the lock.
        self._writer = self._engine.execution_options(**{_SQLITE_BEGIN: "IMMEDIATE"})
        self.insert = postgresql.insert if self.is_postgresql else sqlite.insert

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL; SQLite otherwise."""
        return self._engine.dialect.name == "postgresql"

    def upgrade(self) -> Revisions:
        """Create or migrate the tables for this version. Several processes may do so at once.

        Tables of a later version stay as they are. Migrations only add, so this version works with
        them, and a rollback needs no migration.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        with _translate_errors(), self._begin_migration() as connection:
            return upgrade_tables(connection)

    @contextmanager
    def begin_reading(self) -> Iterator[Session]:
        """Yield a session for reading.

        Raises:
            LedgerUnavailable: The database does not answer, or has no tables yet.
        """
        with _translate_errors(), Session(self._engine) as session:
            yield session

    @contextmanager
    def begin_writing(self) -> Iterator[Session]:
        """Yield a session for writing. It commits at the end, or rolls back after an exception.

        Raises:
            LedgerUnavailable: The database does not answer, or has no tables yet.
        """
        with _translate_errors(), Session(self._writer) as session, session.begin():
            yield session

    def serialise(self, session: Session) -> None:
        """Let no other transaction come past this point before this one has ended.

        On SQLite a writing transaction is alone anyway.
        """
        if self.is_postgresql:
            session.execute(text(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})"))

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a plain connection."""
        with _translate_errors(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _begin_migration(self) -> Iterator[Connection]:
        """Yield a transaction for a migration: one process after the other, with time enough."""
        if not self.is_postgresql:
            with self._lock_sqlite(), self._writer.begin() as connection:
                yield connection
            return
        with self.connect():
            pass  # A database that does not answer is found before the long wait for a migration.
        patient = create_engine(
            self._url, connect_args={"timeout": _SECONDS_FOR_A_MIGRATION}, poolclass=NullPool
        )
        with patient.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            yield connection

    @contextmanager
    def _lock_sqlite(self) -> Iterator[None]:
        """Lock the directory of the file, and switch the file to write-ahead logging.

        SQLite's own lock is not enough: a process waits for it only so long, and not at all when it
        switches a new file to write-ahead logging. This lock leaves no file behind, and the system
        releases it when its holder dies.
        """
        directory = Path(self._url.database or "").parent
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            _lock(descriptor)
            # Outside a transaction. The file keeps the mode, and readers never block from then on.
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=wal")
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait for a lock on a file.

    Raises:
        TimeoutError: Its holder does not release it.
    """
    deadline = time.monotonic() + _SECONDS_FOR_A_MIGRATION
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process has been migrating it for too long") from None
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except NoConnection:
        raise LedgerUnavailable("The ledger does not answer: no connection is free") from None
    except (DatabaseError, InterfaceError) as error:
        # SQLAlchemy puts the values of the statement into its message; the driver does not.
        raise LedgerUnavailable(f"The ledger does not answer: {_get_message(error.orig)}") from None
    except OSError as error:
        # The frames refer to each other and to the socket, and would keep it open.
        traceback.clear_frames(error.__traceback__)
        raise LedgerUnavailable(f"The ledger does not answer: {error}") from None


def _get_message(error: BaseException | None) -> str:
    """Return the message in an error of a driver; that of PostgreSQL has it in a field."""
    fields = error.args[0] if error is not None and error.args else error
    return str(fields.get("M", fields) if isinstance(fields, dict) else fields)


def _create_engine(url: URL) -> Engine:
    if url.drivername != _POSTGRESQL_DRIVER:
        engine = create_engine(url, pool_timeout=_SECONDS_OF_SILENCE)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
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
    event.listen(engine, "handle_error", _discard_silent_connection)
    return engine


def _discard_silent_connection(failed: ExceptionContext) -> None:
    """Close a connection without an answer, which the driver shows by an error of the socket.

    Its late answer would be taken for the answer to the next statement.
    """
    if isinstance(failed.original_exception, OSError):
        failed.is_disconnect = True


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Let several processes write: they wait for each other."""
    # `_begin_sqlite` begins the transactions, not the driver.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_SQLITE_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {begin}")
