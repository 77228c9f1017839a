"""What was tried on a market, and what that costs the next research."""

from datetime import timedelta

import pytest

from quant.verdict.deflation import find_expected_best, find_required_sharpe, judge_today
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment
from tests.storage.test_ledger import BARS, NOW, OTHERS, experiment, trial, trials_on
from tests.support.results import statistics

JUDGED = statistics(periods_per_year=252.0, record_skewness=-0.4, record_kurtosis=6.0)


def judged(operation_id: str, **changes: object) -> Experiment:
    metrics = {"statistics": JUDGED.model_dump(mode="json")}
    return experiment(operation_id).model_copy(update={"metrics": metrics, **changes})


def test_each_market_counts_its_own_trials_and_looks(ledger: Ledger) -> None:
    ledger.experiments.record(judged("op_1", data_hash="bars"))
    ledger.experiments.record(judged("op_2", data_hash="bars"))
    later = NOW + timedelta(days=1)
    ledger.experiments.record(judged("op_3", symbol="NASDAQ", owner="bob", finished_at=later))
    ledger.trials.record("op_1", trials_on(BARS, trial("a"), trial("b")))
    ledger.trials.record("op_3", trials_on(OTHERS, trial("a")))
    for model in ("first", "second"):
        ledger.looks.record("op_1", BARS, fingerprint="a", model_sha256=model)

    [newest, other], total = ledger.markets.find(trials=10, limit=10)
    assert total == 2
    assert (newest.symbol, newest.researches, newest.last_research_at) == ("NASDAQ", 1, later)
    assert (newest.trials_ever, newest.holdout_looks) == (1, 0)
    assert (other.symbol, other.researches, other.last_research_at) == ("SP500", 2, NOW)
    assert (other.trials_ever, other.holdout_looks) == (2, 2)
    assert (other.next_trials, other.next_look) == (12, 3)
    assert other.required_sharpe == find_required_sharpe(12, JUDGED)
    [own], total = ledger.markets.find(trials=10, limit=10, owner="bob")
    assert (own, total) == (newest, 1)
    assert ledger.markets.find(trials=10, limit=1, offset=1) == ([other], 2)


def test_a_market_that_nobody_has_tried_costs_nothing_yet(ledger: Ledger) -> None:
    fresh = ledger.markets.get("GOLD", "1h", trials=12)
    assert (fresh.researches, fresh.last_research_at) == (0, None)
    assert (fresh.trials_ever, fresh.next_trials, fresh.next_look) == (0, 12, 1)
    assert fresh.expected_best_sharpe is fresh.required_sharpe is None
    ledger.experiments.record(judged("op_1"))
    assert ledger.markets.get("SP500", "1d", trials=1).researches == 1


@pytest.mark.parametrize("trials", [1, 2, 500, 1_000_000])
def test_what_is_required_is_what_the_verdict_accepts(trials: int) -> None:
    required = find_required_sharpe(trials, JUDGED)
    luck = find_expected_best(trials, JUDGED)
    assert required is not None
    assert luck is not None
    assert required > luck >= 0.0
    certain = JUDGED.model_copy(
        update={"deflated_sharpe": 1.0, "record_p_value": 0.0, "trials_ever": 1}
    )
    reached = certain.model_copy(update={"record_sharpe": required})
    assert judge_today(trials, reached).record_p_value == pytest.approx(0.05, rel=1e-6)
    lucky = certain.model_copy(update={"record_sharpe": luck})
    assert judge_today(trials, lucky).deflated_sharpe == pytest.approx(0.5, abs=1e-9)


def test_more_trials_require_more() -> None:
    required = [find_required_sharpe(each, JUDGED) or 0.0 for each in (1, 10, 100, 1000)]
    assert required == sorted(required)
    assert len(set(required)) == 4
    unknown = statistics(expected_best_sharpe=0.0)
    assert find_required_sharpe(10, unknown) is find_expected_best(10, unknown) is None
