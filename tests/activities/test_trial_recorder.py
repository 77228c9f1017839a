"""Trials are in the ledger while a search runs, and however it ends."""

from pathlib import Path

import pytest

from activities.trial_recorder import record_trials
from errors import LedgerUnavailable
from quant.messages.data import DataSource
from quant.messages.record.trials import Trial, TrialOnBars
from storage.ledger.ledger import Ledger
from tests.support.helpers import assert_eventually

BARS = DataSource(content_hash="bars")


def tried(number: int) -> TrialOnBars:
    trial = Trial(number=number, fingerprint=str(number), sharpe=0.1, parameters={})
    return TrialOnBars(data=BARS, trial=trial)


@pytest.fixture
def without_tables(tmp_path: Path) -> Ledger:
    """A ledger that answers nothing before its tables are created."""
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


async def test_a_trial_that_could_not_be_recorded_is_recorded_later(
    without_tables: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    async def failed() -> bool:
        return "trials of op are not recorded yet" in caplog.text

    async def counted() -> bool:
        return without_tables.trials.count(BARS) == 2

    async with record_trials(without_tables, "op") as report:
        report(tried(1))
        await assert_eventually(failed)
        report(tried(2))
        without_tables.upgrade()
        await assert_eventually(counted)
        report(tried(3))
    assert without_tables.trials.count(BARS) == 3


async def test_a_search_that_fails_ends_as_itself_whatever_the_ledger_says(
    without_tables: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="of the search"):
        async with record_trials(without_tables, "op") as report:
            report(tried(1))
            raise ValueError("of the search")
    assert "lost 1 trials of op" in caplog.text


async def test_the_trials_of_a_search_that_fails_are_recorded(without_tables: Ledger) -> None:
    without_tables.upgrade()
    with pytest.raises(ValueError, match="of the search"):
        async with record_trials(without_tables, "op") as report:
            report(tried(1))
            raise ValueError("of the search")
    assert without_tables.trials.count(BARS) == 1


async def test_a_search_does_not_succeed_without_its_trials(without_tables: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        async with record_trials(without_tables, "op") as report:
            report(tried(1))
