"""The leaderboard: by verdict, then by the Sharpe ratio deflated by all trials until today."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.messages.trials import Trial, TrialOnBars
from quant.verdict.deflation import deflate_sharpe
from quant.verdict.significance import measure_significance
from storage.ledger import Ledger
from storage.records import Experiment

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BARS = DataSource(content_hash="bars")


def judge(trials: int, *, drift: float = 0.0006, year: float = 252.0) -> Statistics:
    """Judge returns with fat tails and a skew."""
    rng = np.random.default_rng(4)
    returns = rng.standard_t(4, 3000) * 0.003 + rng.exponential(0.008, 3000) - 0.008 + drift
    return measure_significance(
        *(returns[2000:], returns[:2000], year),
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
    assert deflate_sharpe(5000, then) == pytest.approx(today.deflated_sharpe, rel=1e-9)
    # Fewer trials than at the assessment, as after a deletion, improve nothing.
    assert deflate_sharpe(1, today) == pytest.approx(today.deflated_sharpe, rel=1e-9)


def test_a_record_from_before_its_moments_were_kept_is_taken_for_normal() -> None:
    then = judge(12, year=98_280.0)
    kept = then.model_dump(exclude={"record_skewness", "record_kurtosis", "periods_per_year"})
    normal = then.model_copy(update={"record_skewness": 0.0, "record_kurtosis": 3.0})
    old = Statistics.model_validate(kept)
    assert deflate_sharpe(5000, old) == pytest.approx(deflate_sharpe(5000, normal), rel=1e-9)
    alone = Statistics.model_validate({**kept, "trials_ever": 1, "expected_best_sharpe": 0.0})
    assert deflate_sharpe(5000, alone) == alone.deflated_sharpe


def test_what_shows_nothing_is_not_raised() -> None:
    nothing = judge(12).model_copy(update={"record_sharpe": 0.0, "deflated_sharpe": 0.0})
    assert deflate_sharpe(12, nothing) == 0.0


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
