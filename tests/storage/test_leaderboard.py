"""The leaderboard: by verdict, then by the Sharpe ratio deflated by all trials until today."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.messages.record.trials import Trial, TrialOnBars
from quant.verdict.deflation import control_false_discoveries, judge_today
from quant.verdict.significance import measure_significance
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BARS = DataSource(content_hash="bars")


def judge(trials: int, *, drift: float = 0.0006, year: float = 252.0) -> Statistics:
    """Judge returns with fat tails and a skew."""
    rng = np.random.default_rng(4)
    market = rng.normal(0.0, 0.01, 3000)
    returns = rng.standard_t(4, 3000) * 0.003 + rng.exponential(0.008, 3000) - 0.008 + drift
    return measure_significance(
        *(returns[2000:], returns[:2000], year),
        holdout_market=market[2000:],
        walk_forward_market=market[:2000],
        trials_ever=trials,
        holdout_looks=1,
        timing=0.01,
        seed=1,
    ).figures


def record(
    ledger: Ledger, name: str, figures: dict[str, Any] | Statistics | None, **changes: Any
) -> None:
    kept = figures.model_dump() if isinstance(figures, Statistics) else figures
    experiment = Experiment(
        operation_id=name,
        status="completed",
        owner="ada",
        symbol=BARS.symbol,
        timeframe=BARS.timeframe,
        seed=1,
        data_hash="bars",
        metrics={"statistics": kept},
        verdict="poor",
        started_at=NOW,
        finished_at=NOW,
    )
    ledger.experiments.record(experiment.model_copy(update=changes))


def rank(ledger: Ledger, **options: Any) -> list[str]:
    page, _ = ledger.leaderboard.find(**{"limit": 10, **options})
    return [row.operation_id for row in page]


@pytest.mark.parametrize("year", [252.0, 98_280.0])
@pytest.mark.parametrize("before", [1, 12])
def test_it_deflates_as_the_assessment_would_today(before: int, year: float) -> None:
    then, today = judge(before, year=year), judge(5000, year=year)
    assert then.record_skewness > 0.1 and then.record_kurtosis > 4.0
    assert then.deflated_sharpe > today.deflated_sharpe > 0.0
    # Fewer trials than at the assessment, as after a deletion, improve nothing.
    for now in (judge_today(5000, then), judge_today(1, today)):
        assert now.deflated_sharpe == pytest.approx(today.deflated_sharpe, rel=1e-9)
        assert now.record_p_value == pytest.approx(today.record_p_value, rel=1e-9)
        assert now.alpha_p_value == pytest.approx(today.alpha_p_value, rel=1e-9)


def test_a_record_from_before_its_moments_were_kept_is_taken_for_normal() -> None:
    then = judge(12, year=98_280.0)
    kept = then.model_dump(exclude={"record_skewness", "record_kurtosis", "periods_per_year"})
    normal = then.model_copy(update={"record_skewness": 0.0, "record_kurtosis": 3.0})
    old = Statistics.model_validate(kept)
    now, expected = judge_today(5000, old), judge_today(5000, normal)
    assert now.deflated_sharpe == pytest.approx(expected.deflated_sharpe, rel=1e-9)
    alone = Statistics.model_validate({**kept, "trials_ever": 1, "expected_best_sharpe": 0.0})
    assert judge_today(5000, alone).deflated_sharpe == alone.deflated_sharpe


def test_what_shows_nothing_is_not_raised() -> None:
    nothing = judge(12).model_copy(update={"record_sharpe": 0.0, "deflated_sharpe": 0.0})
    assert judge_today(12, nothing).deflated_sharpe == 0.0


def test_who_came_early_falls_when_more_is_tried(ledger: Ledger) -> None:
    early, late = judge(1, drift=0.0004), judge(600)
    assert early.deflated_sharpe > late.deflated_sharpe
    record(ledger, "early", early)
    record(ledger, "late", late)
    trials = [
        Trial(number=number, fingerprint=str(number), sharpe=0.0, parameters={})
        for number in range(600)
    ]
    ledger.trials.record("op", [TrialOnBars(data=BARS, trial=trial) for trial in trials])
    ledger.looks.record("op", BARS, fingerprint="1", model_sha256="1")

    [first, second], total = ledger.leaderboard.find(limit=10)

    assert (first.operation_id, second.operation_id, total) == ("late", "early", 2)
    assert second.deflated_sharpe_then == early.deflated_sharpe
    assert second.deflated_sharpe == pytest.approx(judge(600, drift=0.0004).deflated_sharpe)
    assert (second.trials_ever, second.holdout_looks) == (600, 1)


def test_the_verdict_comes_first_and_what_was_not_judged_last(ledger: Ledger) -> None:
    record(ledger, "a-gate", None, verdict="no_signal")
    record(ledger, "no-signal", judge(1), verdict="no_signal")
    record(ledger, "of-old", {"sharpe": 0.1, "deflated_sharpe": 0.99})
    record(ledger, "poor", judge(1, drift=0.0002))
    record(ledger, "promising", judge(1, drift=0.002), verdict="promising")
    record(ledger, "no-longer", judge(1, drift=0.0), verdict="promising")
    record(ledger, "mediocre", judge(1, drift=0.0001), verdict="mediocre", owner="bob")
    record(ledger, "failed", None, status="failed", verdict=None)
    record(ledger, "again", judge(1), reproduces="promising")

    expected = ["promising", "mediocre", "no-longer", "of-old", "poor", "no-signal", "a-gate"]
    assert rank(ledger) == expected
    assert rank(ledger, limit=2, offset=1) == expected[1:3]
    assert rank(ledger, owner="bob") == ["mediocre"]
    assert rank(ledger, symbol="NASDAQ") == []
    assert ledger.leaderboard.find(limit=1)[1] == 7


def test_adjusted_p_values_are_those_of_benjamini_and_yekutieli() -> None:
    given = [0.01, 0.0001, 0.5, 0.02]
    harmonic = 1.0 + 1 / 2 + 1 / 3 + 1 / 4
    expected = [0.01 * 2, 0.0001 * 4, 0.5, 0.02 * 4 / 3]
    assert control_false_discoveries(given) == pytest.approx(
        [min(1.0, value * harmonic) for value in expected]
    )
    assert control_false_discoveries([]) == []


def test_one_good_result_among_many_questions_is_no_discovery(ledger: Ledger) -> None:
    good = judge(1, drift=0.0006)
    record(ledger, "good", good, verdict="promising")
    [alone], _ = ledger.leaderboard.find(limit=1)
    assert alone.is_discovery and alone.false_discovery_rate < 0.05
    for number in range(40):
        record(ledger, f"no-{number}", None, verdict="no_signal")
    [among], _ = ledger.leaderboard.find(limit=1)
    assert (among.operation_id, among.verdict) == ("good", "promising")
    assert not among.is_discovery and among.false_discovery_rate > 0.05
    # The filters decide what was asked.
    [alone], _ = ledger.leaderboard.find(limit=1, verdict="promising")
    assert alone.is_discovery
