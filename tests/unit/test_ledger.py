from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quant.models import Trial
from storage.ledger import Experiment, Ledger

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}")
    opened.create()
    yield opened
    opened.close()


def experiment(operation_id: str = "op_1", status: str = "completed") -> Experiment:
    return Experiment(
        operation_id=operation_id,
        status=status,
        owner="ada",
        symbol="SP500",
        timeframe="1d",
        seed=7,
        started_at=NOW,
        finished_at=NOW,
    )


def trial(fingerprint: str, sharpe: float | None = 0.1) -> Trial:
    return Trial(number=0, fingerprint=fingerprint, sharpe=sharpe, parameters={"period": 14})


def test_what_was_recorded_is_found(ledger: Ledger) -> None:
    ledger.record_experiment(experiment())
    found = ledger.experiment("op_1")
    assert found is not None
    ignored = {"started_at", "finished_at"}
    assert found.model_dump(exclude=ignored) == experiment().model_dump(exclude=ignored)
    assert ledger.experiment("op_2") is None


def test_recording_again_replaces(ledger: Ledger) -> None:
    ledger.record_experiment(experiment())
    ledger.record_experiment(experiment())
    ledger.record_experiment(experiment(status="cancelled"))
    found = ledger.experiment("op_1")
    assert found is not None
    assert found.status == "cancelled"


def test_making_the_tables_again_keeps_what_is_in_them(ledger: Ledger) -> None:
    ledger.record_experiment(experiment())
    ledger.create()
    assert ledger.experiment("op_1") is not None


def test_a_candidate_counts_once_per_set_of_bars(ledger: Ledger) -> None:
    ledger.record_trials("op_1", "bars", [trial("a"), trial("b", 0.3)])
    ledger.record_trials("op_1", "bars", [trial("a"), trial("b", 0.3)])
    ledger.record_trials("op_2", "bars", [trial("b", 0.3), trial("c", None)])
    ledger.record_trials("op_2", "other bars", [trial("a")])
    history = ledger.trial_history("bars")
    assert history.distinct_trials == 3
    assert history.sharpe_variance == pytest.approx(0.02)
    assert ledger.trial_history("other bars").distinct_trials == 1


def test_bars_that_were_never_searched_have_no_history(ledger: Ledger) -> None:
    ledger.record_trials("op_1", "bars", [])
    history = ledger.trial_history("bars")
    assert (history.distinct_trials, history.sharpe_variance) == (0, None)


def test_many_writers_lose_nothing(tmp_path: Path, ledger: Ledger) -> None:
    def write(number: int) -> None:
        own = Ledger(f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}")
        for each in range(5):
            own.record_experiment(experiment(f"op_{number}_{each}"))
            own.record_trials(f"op_{number}", "bars", [trial(f"{each}"), trial(f"{number}-{each}")])
        own.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert all(ledger.experiment(f"op_{i}_{j}") for i in range(8) for j in range(5))
    assert ledger.trial_history("bars").distinct_trials == 5 + 8 * 5
