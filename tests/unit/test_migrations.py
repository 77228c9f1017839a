"""The migrations lead from every earlier state of the ledger to the tables that the code uses."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from errors import LedgerUnavailable, StartupError
from storage.database import Database, migrations
from storage.ledger import Ledger
from storage.tables import Base

_BEFORE_MIGRATIONS = (
    "INSERT INTO experiments (operation_id, status, owner, symbol, timeframe, seed, metrics,"
    " strategy, started_at, finished_at) VALUES ('op_1', 'completed', 'ada', 'SP500', '1d', 7,"
    """ '{"statistics": {"sharpe": 1.5, "deflated_sharpe": 0.9}, "backtest_result":"""
    """ {"total_return": 0.2}}', '{"name": "momentum"}',"""
    " '2026-01-02 03:04:05', '2026-01-02 03:04:06')"
)


def test_migrated_tables_are_those_of_the_code(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.connection() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.close()
    assert differences == []


def test_a_ledger_from_before_the_migrations_keeps_what_is_in_it(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.writing() as session:
        command.downgrade(migrations(session.connection()), "0001")
        session.execute(text("DROP TABLE alembic_version"))
        session.execute(text(_BEFORE_MIGRATIONS.replace(":", "\\:")))
    database.close()
    ledger = Ledger(ledger_url)
    ledger.upgrade()
    [found], total = ledger.experiments.find(limit=10)
    ledger.close()
    assert total == 1
    assert (found.operation_id, found.strategy_name) == ("op_1", "momentum")
    assert (found.sharpe, found.deflated_sharpe, found.total_return) == (1.5, 0.9, 0.2)


def test_workers_that_start_together_migrate_once(ledger_url: str) -> None:
    def upgrade(_: int) -> None:
        ledger = Ledger(ledger_url)
        ledger.upgrade()
        ledger.ping()
        ledger.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(upgrade, range(6)))


def test_a_ledger_that_is_newer_is_left_alone(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupError, match="newer than this version"):
        database.upgrade()
    database.close()


def test_a_ledger_without_tables_says_so(ledger_url: str) -> None:
    ledger = Ledger(ledger_url.replace("/deep/", "/"))
    with pytest.raises(LedgerUnavailable):
        ledger.ping()
    ledger.close()


def test_a_server_that_is_not_there_says_so() -> None:
    ledger = Ledger("postgresql://ktrdr:sesame@127.0.0.1:9/ktrdr")
    with pytest.raises(LedgerUnavailable) as raised:
        ledger.ping()
    assert "sesame" not in str(raised.value)
