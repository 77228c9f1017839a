from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from quant.messages.data import DataSource
from quant.messages.record.trials import Trial, TrialOnBars
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment
from storage.ledger.selection import ExperimentOrder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BARS = DataSource(symbol="SP500", content_hash="bars")
OTHERS = DataSource(symbol="NASDAQ", content_hash="other bars")


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


def trials_on(data: DataSource, *trials: Trial) -> list[TrialOnBars]:
    return [TrialOnBars(data=data, trial=each) for each in trials]


def test_what_was_recorded_is_found(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    found = ledger.experiments.get("op_1")
    assert found is not None
    assert found == experiment()
    assert ledger.experiments.get("op_2") is None


def test_recording_again_replaces(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    ledger.experiments.record(experiment())
    ledger.experiments.record(experiment(status="cancelled"))
    found = ledger.experiments.get("op_1")
    assert found is not None
    assert found.status == "cancelled"


def test_making_the_tables_again_keeps_what_is_in_them(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    ledger.upgrade()
    assert ledger.experiments.get("op_1") is not None


def test_a_candidate_counts_once_per_set_of_bars(ledger: Ledger) -> None:
    ledger.trials.record("op_1", trials_on(BARS, trial("a"), trial("b", 0.3)))
    ledger.trials.record("op_1", trials_on(BARS, trial("a"), trial("b", 0.3)))
    ledger.trials.record("op_2", trials_on(BARS, trial("b", 0.3), trial("c", None)))
    ledger.trials.record("op_2", trials_on(OTHERS, trial("a")))
    assert ledger.trials.count(BARS) == 3
    assert ledger.trials.count(OTHERS) == 1


def test_bars_that_grow_are_still_the_same_bars(ledger: Ledger) -> None:
    tomorrow = BARS.model_copy(update={"content_hash": "one bar more"})
    copied = BARS.model_copy(update={"symbol": "COPY"})
    for data, fingerprint in ((BARS, "a"), (tomorrow, "a"), (tomorrow, "b")):
        ledger.trials.record("op_1", trials_on(data, trial(fingerprint)))
        ledger.looks.record("op_1", data, fingerprint=fingerprint, model_sha256="m")
    for data in (BARS, tomorrow):
        assert (ledger.trials.count(data), ledger.looks.count(data)) == (2, 2)
    assert (ledger.trials.count(copied), ledger.looks.count(copied)) == (1, 1)


def test_the_same_model_looks_at_a_holdout_once(ledger: Ledger) -> None:
    assert ledger.looks.count(BARS) == 0
    for operation_id, fingerprint, model in (
        ("op_1", "a", "first"),
        ("op_2", "a", "first"),
        ("op_3", "a", "second"),
        ("op_4", "b", "first"),
    ):
        ledger.looks.record(operation_id, BARS, fingerprint=fingerprint, model_sha256=model)
    assert ledger.looks.count(BARS) == 3


def test_bars_that_were_never_searched_count_none(ledger: Ledger) -> None:
    ledger.trials.record("op_1", [])
    assert ledger.trials.count(BARS) == 0


def test_many_writers_lose_nothing(migrated_url: str, ledger: Ledger) -> None:
    def write(number: int) -> None:
        own = Ledger(migrated_url)
        for each in range(5):
            own.experiments.record(experiment(f"op_{number}_{each}"))
            made = trials_on(BARS, trial(f"{each}"), trial(f"{number}-{each}"))
            own.trials.record(f"op_{number}", made)
        own.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert all(ledger.experiments.get(f"op_{i}_{j}") for i in range(8) for j in range(5))
    assert ledger.trials.count(BARS) == 5 + 8 * 5


def test_the_best_trials_on_these_bars_come_first(ledger: Ledger) -> None:
    given = [trial("a", 0.1), trial("b", 0.3), trial("c", None), trial("d", -0.2)]
    ledger.trials.record("op_1", trials_on(BARS, *given))
    ledger.trials.record("op_1", trials_on(OTHERS, trial("e", 0.9)))
    assert [each.fingerprint for each in ledger.trials.find_best("bars", 2)] == ["b", "a"]
    assert [each.sharpe for each in ledger.trials.find_best("bars", 9)] == [0.3, 0.1, -0.2]


def figures(sharpe: float, deflated: float) -> dict[str, Any]:
    return {
        "statistics": {"sharpe": sharpe, "deflated_sharpe": deflated, "trials_ever": 12},
        "backtest_result": {"total_return": sharpe / 10},
    }


def test_experiments_are_filtered_sorted_and_paged(ledger: Ledger) -> None:
    for number in range(5):
        ledger.experiments.record(
            experiment(f"op_{number}").model_copy(
                update={
                    "owner": "ada" if number % 2 else "bob",
                    "metrics": figures(number, 0.5 - number / 10) if number else None,
                    "finished_at": NOW + timedelta(seconds=number),
                }
            )
        )

    def ids(**options: Any) -> list[str]:
        found, _ = ledger.experiments.find(**{"limit": 10, **options})
        return [each.operation_id for each in found]

    assert ids() == ["op_4", "op_3", "op_2", "op_1", "op_0"]
    newest, *_, never_judged = ledger.experiments.find(limit=10)[0]
    assert (newest.trials_ever, never_judged.trials_ever) == (12, None)
    assert ids(order=ExperimentOrder.DEFLATED_SHARPE) == ["op_1", "op_2", "op_3", "op_4", "op_0"]
    assert ids(order=ExperimentOrder.SHARPE, descending=False)[-1] == "op_0"
    assert ids(owner="ada") == ["op_3", "op_1"]
    assert ids(limit=2, offset=2) == ["op_2", "op_1"]
    assert ledger.experiments.find(limit=1, owner="bob")[1] == 3


def test_the_newest_bars_of_a_symbol_are_known(ledger: Ledger) -> None:
    for number, data_hash in enumerate(["old", "new", None]):
        ledger.experiments.record(
            experiment(f"op_{number}").model_copy(
                update={"data_hash": data_hash, "finished_at": NOW + timedelta(seconds=number)}
            )
        )
    assert ledger.experiments.get_newest_data_hash("SP500", "1d") == "new"
    assert ledger.experiments.get_newest_data_hash("SP500", "1h") is None
