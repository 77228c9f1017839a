"""The ledger on each kind of database."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pg8000.dbapi
import pytest
from sqlalchemy import make_url

from storage.ledger import Ledger
from tests.support.postgresql import postgresql_server


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
    server = make_url(request.getfixturevalue("postgresql"))
    name = f"ledger_{uuid4().hex[:12]}"
    connection = pg8000.dbapi.connect(
        user=server.username, host=server.host, port=server.port, database=server.database
    )
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A ledger with its tables."""
    opened = Ledger(ledger_url)
    opened.upgrade()
    yield opened
    opened.close()
