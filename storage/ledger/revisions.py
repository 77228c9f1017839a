"""The revisions of the tables: which one a database has, and how it gets the newest."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
)

from storage.ledger.rows import Base

if TYPE_CHECKING:
    from alembic.config import Config

_log = logging.getLogger(__name__)

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
# A ledger from before the first migration has the tables of this revision.
_FIRST_REVISION: Final = "0001"
# As Alembic makes it.
_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class Revisions(NamedTuple):
    """The revisions of the tables before and after an upgrade; None for no tables."""

    before: str | None
    after: str | None


def upgrade_tables(connection: Connection) -> Revisions:
    """Create or migrate the tables for this version, in the transaction of this connection.

    Tables of a later version stay as they are.
    """
    known = list_revisions()
    tables = inspect(connection).get_table_names()
    if not tables:
        _create_tables(connection, known[-1])
        return Revisions(None, known[-1])
    before = _get_revision(connection) if _VERSION.name in tables else None
    if before is not None and before not in known:
        _log.warning("the ledger is newer than this version: %s", before)
    if before is not None and before not in known[:-1]:
        return Revisions(before, before)
    from alembic import command  # noqa: PLC0415 - slow to load, and rarely needed

    config = migrations(connection)
    if _VERSION.name not in tables:
        command.stamp(config, _FIRST_REVISION)
    command.upgrade(config, "head")
    return Revisions(before, _get_revision(connection))


def migrations(connection: Connection) -> "Config":
    """Return the configuration of Alembic for this connection."""
    from alembic.config import Config  # noqa: PLC0415 - slow to load

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def list_revisions() -> list[str]:
    """Return the revisions that this version knows, the newest last. Their files have their names.

    Most processes find the newest one in the ledger, and then they need no Alembic.
    """
    return sorted(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("*_*.py"))


def _create_tables(connection: Connection, revision: str) -> None:
    """Create the tables in a new database, those to which the migrations lead.

    To load Alembic and to migrate nine times would take half a second of the first start.
    """
    Base.metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=False)
    connection.execute(_VERSION.insert().values(version_num=revision))


def _get_revision(connection: Connection) -> str | None:
    revision: str | None = connection.scalar(select(_VERSION.c.version_num))
    return revision
