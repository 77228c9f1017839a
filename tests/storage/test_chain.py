"""The chain of trials and looks: every change, gap and rewriting is found."""

import pytest
from sqlalchemy import delete, update

from quant.messages.record.market import LedgerHead
from storage.ledger.database import Database
from storage.ledger.ledger import Ledger
from storage.ledger.rows import LookRow, TrialRow
from tests.storage.test_ledger import BARS, OTHERS, experiment, trial, trials_on


@pytest.fixture
def database(migrated_url: str, ledger: Ledger) -> Database:
    """A second way to the same tables, as an attacker has it."""
    ledger.trials.record("op_1", trials_on(BARS, trial("a", 0.123456789), trial("b", None)))
    ledger.looks.record("op_1", BARS, fingerprint="a", model_sha256="m", traded=("2020", "2021"))
    ledger.trials.record("op_2", trials_on(OTHERS, trial("a"), trial("c")))
    return Database(migrated_url)


def test_all_trials_and_looks_are_in_it_once(ledger: Ledger, database: Database) -> None:
    ledger.trials.record("op_3", trials_on(BARS, trial("a")))
    found = ledger.chain.verify()
    assert (found.intact, found.entries, found.unchained, found.problem) == (True, 5, 0, None)
    assert found.head == ledger.chain.get_head().text
    database.close()


def test_an_empty_ledger_is_whole(ledger: Ledger) -> None:
    assert ledger.chain.verify().intact


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (update(TrialRow).where(TrialRow.fingerprint == "b").values(sharpe=0.9), "was changed"),
        (update(LookRow).values(last_bar="2019"), "entry 3, a look of op_1, was changed"),
        (delete(TrialRow).where(TrialRow.fingerprint == "b"), "entry 2 is missing"),
        (delete(LookRow), "entry 3 is missing"),
        (
            update(TrialRow).where(TrialRow.fingerprint == "c").values(entry_hash="0" * 64),
            "was changed",
        ),
    ],
)
def test_what_was_changed_or_is_missing_is_named(
    ledger: Ledger, database: Database, change: object, said: str
) -> None:
    with database.begin_writing() as session:
        session.execute(change)  # type: ignore[call-overload]
    found = ledger.chain.verify()
    assert not found.intact and found.problem is not None
    assert said in found.problem
    database.close()


def test_a_head_in_a_report_shows_what_was_cut_off_or_rewritten(
    ledger: Ledger, database: Database
) -> None:
    head = ledger.chain.get_head()
    metrics = {"ledger_head": head.text}
    ledger.experiments.record(experiment("op_9").model_copy(update={"metrics": metrics}))
    assert ledger.chain.verify(head).intact
    other = LedgerHead(entry=head.entry, hash="f" * 64)
    assert "the given head" in (ledger.chain.verify(other).problem or "")
    with database.begin_writing() as session:
        session.execute(delete(TrialRow).where(TrialRow.entry == head.entry))
    cut = ledger.chain.verify()
    assert cut.problem == (
        f"the ledger ends at entry {head.entry - 1}, but op_9 rests on entry {head.entry}: "
        "entries are missing"
    )
    ledger.trials.record("op_3", trials_on(BARS, trial("innocent")))
    assert "the ledger was rewritten" in (ledger.chain.verify().problem or "")
    database.close()


def test_rows_of_earlier_versions_join_with_the_next_write(
    ledger: Ledger, database: Database
) -> None:
    nothing = {"entry": None, "entry_hash": None}
    with database.begin_writing() as session:
        session.execute(update(TrialRow).values(**nothing))
        session.execute(update(LookRow).values(**nothing))
    before = ledger.chain.verify()
    assert (before.intact, before.entries, before.unchained) == (True, 0, 5)
    ledger.trials.record("op_3", trials_on(BARS, trial("new")))
    after = ledger.chain.verify()
    assert (after.intact, after.entries, after.unchained) == (True, 6, 0)
    database.close()
