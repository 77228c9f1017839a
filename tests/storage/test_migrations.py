"""The migrations lead from every earlier state of the ledger to the tables that the code uses."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text

from errors import LedgerUnavailable
from storage.ledger.database import Database
from storage.ledger.ledger import Ledger
from storage.ledger.revisions import list_revisions, migrations
from storage.ledger.rows import Base
from tests.storage.test_ledger import experiment
from tests.support.helpers import ROOT

_BEFORE_MIGRATIONS = (
    "INSERT INTO experiments (operation_id, status, owner, symbol, timeframe, seed, metrics,"
    " strategy, started_at, finished_at) VALUES ('op_1', 'completed', 'ada', 'SP500', '1d', 7,"
    """ '{"statistics": {"sharpe": 1.5, "deflated_sharpe": 0.9}, "backtest_result":"""
    """ {"total_return": 0.2}}', '{"name": "momentum"}',"""
    " '2026-01-02 03:04:05', '2026-01-02 03:04:06')"
)


def test_a_new_ledger_has_the_tables_to_which_the_migrations_lead(ledger_url: str) -> None:
    database = Database(ledger_url)
    assert database.upgrade() == (None, list_revisions()[-1])
    created = describe(database)
    with database.begin_writing() as session:
        config = migrations(session.connection())
        command.downgrade(config, "base")
        command.upgrade(config, "head")
    with database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert describe(database) == created
    database.close()
    assert differences == []


def describe(database: Database) -> dict[str, object]:
    """Return all that the database knows of its tables, and the revision."""
    with database.connect() as connection:
        found = inspect(connection)
        described: dict[str, object] = {
            table: (
                sorted(
                    (each["name"], str(each["type"]), each["nullable"], each["default"])
                    for each in found.get_columns(table)
                ),
                found.get_pk_constraint(table),
                sorted(found.get_indexes(table), key=str),
                sorted(found.get_unique_constraints(table), key=str),
            )
            for table in found.get_table_names()
        }
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return described | {"revision": revision}


def test_a_ledger_from_before_the_migrations_keeps_what_is_in_it(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.begin_writing() as session:
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


def test_the_files_of_the_migrations_are_named_by_their_revisions(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.connect() as connection:
        script = ScriptDirectory.from_config(migrations(connection))
        assert list_revisions() == [each.revision for each in script.walk_revisions()][::-1]


def test_neither_a_new_ledger_nor_one_of_this_version_needs_alembic(ledger_url: str) -> None:
    program = (
        "import sys; from storage.ledger.ledger import Ledger; "
        "assert [Ledger(sys.argv[1]).upgrade().before for _ in range(2)] == [None, sys.argv[2]]; "
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", program, ledger_url, list_revisions()[-1]],
        cwd=ROOT,
        timeout=120,
        check=True,
    )


def test_a_version_that_is_gone_back_to_works_with_the_newer_ledger(
    ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(ledger_url)
    database.upgrade()
    with database.begin_writing() as session:
        session.execute(text("ALTER TABLE experiments ADD COLUMN mood VARCHAR"))
        session.execute(text("CREATE TABLE moods (name VARCHAR)"))
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    ledger = Ledger(ledger_url)
    assert ledger.upgrade() == ("9999", "9999")
    assert "newer than this version: 9999" in caplog.text
    ledger.experiments.record(experiment())
    assert ledger.experiments.get("op_1") == experiment()
    ledger.close()


# Early migrations add required columns: versions did not run side by side then.
REQUIRED = {"0003": {"trials.symbol", "trials.timeframe"}}


def test_migrations_only_add_what_earlier_code_need_not_know(ledger_url: str) -> None:
    database = Database(ledger_url)
    database.upgrade()
    found: dict[str, set[str]] = {}
    with database.begin_writing() as session:
        connection = session.connection()
        config = migrations(connection)
        command.downgrade(config, "0001")
        before = columns(connection)
        for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
            command.upgrade(config, script.revision)
            after = columns(connection)
            tables = {name.partition(".")[0] for name in before}
            added = {name for name in after.keys() - before if name.partition(".")[0] in tables}
            broken = (before.keys() - after) | {name for name in added if after[name]}
            found |= {script.revision: broken} if broken else {}
            before = after
    database.close()
    assert found == REQUIRED


def columns(connection: Connection) -> dict[str, bool]:
    """Return all columns, and whether a row needs a value there."""
    inspector = inspect(connection)
    return {
        f"{table}.{column['name']}": not column["nullable"] and column["default"] is None
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
    }


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


def test_processes_that_start_together_migrate_one_file(tmp_path: Path) -> None:
    migrate = (
        "import sys; from storage.ledger.database import Database; sys.stdin.readline(); "
        "Database(sys.argv[1]).upgrade()"
    )
    command = [sys.executable, "-c", migrate, f"sqlite:///{tmp_path}/new/ledger.db"]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
        each.stdin.flush()
    for each in processes:
        _, problem = each.communicate(timeout=100)
        assert each.returncode == 0, problem.decode()


def test_a_slow_migration_is_waited_for_longer_than_sqlite_would(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    slow, impatient = Database(url), Database(url)
    begun, go_on = threading.Event(), threading.Event()

    @event.listens_for(slow._engine, "before_cursor_execute")
    def linger(*call: Any) -> None:
        if "CREATE TABLE" in call[2]:
            begun.set()
            assert go_on.wait(60)

    @event.listens_for(impatient._engine, "connect")
    def wait_for_nobody(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=0")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.upgrade)
        assert begun.wait(60)
        second = pool.submit(impatient.upgrade)
        with pytest.raises(TimeoutError):
            second.exception(timeout=0.5)
        go_on.set()
        assert first.result(60).before is None
        assert second.result(60).before == first.result(60).after
    slow.close()
    impatient.close()
