"""The ledger on each kind of database."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pg8000.dbapi
import pytest
from sqlalchemy import make_url

from storage.ledger.ledger import Ledger
from tests.support.outside.postgresql import postgresql_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}"
    return create_database(request.getfixturevalue("postgresql"))


@pytest.fixture(scope="session")
def migrated_database(postgresql: str) -> str:
    """The name of a database with the tables of a ledger."""
    url = create_database(postgresql)
    _migrate(url)
    name = make_url(url).database
    assert name is not None
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database of each kind, with the tables of a ledger."""
    if request.param == "postgresql":
        return create_database(
            request.getfixturevalue("postgresql"), request.getfixturevalue("migrated_database")
        )
    path = tmp_path / "ledger.db"
    shutil.copyfile(request.getfixturevalue("migrated_file"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def ledger(migrated_url: str) -> Iterator[Ledger]:
    """A ledger with its tables."""
    opened = Ledger(migrated_url)
    yield opened
    opened.close()


def _migrate(url: str) -> None:
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()


def create_database(server: str, template: str = "template1") -> str:
    """Create a database that has what another one has; returns its URL."""
    url = make_url(server)
    name = f"ledger_{uuid4().hex[:12]}"
    connection = pg8000.dbapi.connect(
        user=url.username, host=url.host, port=url.port, database=url.database
    )
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    connection.close()
    return url.set(database=name).render_as_string(hide_password=False)
