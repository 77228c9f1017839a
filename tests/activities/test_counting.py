"""Counts come from the ledger only, whatever a workflow that was started by hand says."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.counting import add_counts, record_look, require_assessed
from errors import InvalidInput
from quant.messages.artifacts import Artifact
from quant.messages.data import DateRange
from quant.messages.record.market import Sketch
from quant.messages.record.trials import Trial, TrialOnBars
from quant.messages.steps import AssessmentInput, AssessmentResult, BacktestInput
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment
from tests.support.results import INFO, SPEC, assessment, backtest

BARS = INFO.source
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path, migrated_file: Path) -> Ledger:
    path = tmp_path / "ledger.db"
    shutil.copyfile(migrated_file, path)
    ledger = Ledger(f"sqlite:///{path}")
    trials = [Trial(number=n, fingerprint=f"{n}", sharpe=0.0, parameters={}) for n in range(40)]
    ledger.trials.record("op_before", [TrialOnBars(data=BARS, trial=each) for each in trials])
    ledger.looks.record("op_before", BARS, fingerprint="1", model_sha256="1")
    sketch = Sketch(data=BARS, holdout_start=INFO.holdout_start, end=INFO.end, returns=())
    ledger.identities.recognise(sketch)
    return ledger


def judged(**claims: Any) -> AssessmentInput:
    return assessment(backtest(0.4, 0.3, 0.1)).model_copy(update=claims)


def experiment(**changes: Any) -> Experiment:
    recorded = Experiment(
        operation_id="op_1",
        status="completed",
        owner="ada",
        symbol=BARS.symbol,
        timeframe=BARS.timeframe,
        seed=1,
        verdict="promising",
        strategy=SPEC.model_dump(),
        metrics={
            "data_hash": BARS.content_hash,
            "model_sha256": "0" * 64,
            "statistics": {"trials_ever": 7, "holdout_looks": 3},
            "report_path": "op_1.assessment/report.html",
        },
        started_at=NOW,
        finished_at=NOW,
    )
    return recorded.model_copy(update=changes)


def test_steps_that_are_said_to_have_finished_count_like_any_others(ledger: Ledger) -> None:
    counted = add_counts(ledger, judged(trials_ever=1, holdout_looks=1), reproduces=None)

    assert (counted.trials_ever, counted.holdout_looks) == (41, 2)
    assert counted.market is not None and counted.market.names == ("SP500 1d",)
    assert counted.ledger_head == ledger.chain.get_head()
    again = add_counts(ledger, judged(), reproduces=None)
    assert (again.trials_ever, again.holdout_looks) == (41, 2)


def test_without_a_backtest_there_is_no_look(ledger: Ledger) -> None:
    counted = add_counts(ledger, assessment(None), reproduces=None)
    assert (counted.trials_ever, counted.holdout_looks) == (41, 1)


def test_a_backtest_and_its_assessment_take_one_look(ledger: Ledger) -> None:
    inp = judged()
    look = BacktestInput(data=BARS, spec=inp.spec, seed=inp.seed, model_sha256="0" * 64)
    record_look(ledger, "op_1.backtest", look)
    record_look(ledger, "op_2.backtest", look.model_copy(update={"seed": 2}))
    assert add_counts(ledger, inp, reproduces=None).holdout_looks == 2


@pytest.mark.parametrize(
    ("days", "looks"),
    [
        (DateRange(start_date="2001-01-01", end_date="2002-01-01"), 1),
        (DateRange(end_date=INFO.holdout_start[:10]), 2),
        (DateRange(start_date="2017-01-01"), 2),
    ],
)
def test_days_count_where_they_touch_the_holdout(
    ledger: Ledger, days: DateRange, looks: int
) -> None:
    look = BacktestInput(data=BARS, spec=SPEC, seed=1, model_sha256="0" * 64, days=days)
    record_look(ledger, "op_1", look)
    assert ledger.looks.count(BARS) == looks


def test_a_reproduction_is_judged_by_the_recorded_counts(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    counted = add_counts(ledger, judged(trials_ever=1, holdout_looks=1), reproduces="op_1")
    assert (counted.trials_ever, counted.holdout_looks) == (7, 3)


@pytest.mark.parametrize(
    "original",
    [None, experiment(seed=2), experiment(metrics=None), experiment(metrics={"statistics": {}})],
)
def test_a_reproduction_of_something_else_is_counted_like_any_other(
    ledger: Ledger, original: Experiment | None
) -> None:
    if original is not None:
        ledger.experiments.record(original)
    counted = add_counts(ledger, judged(trials_ever=1, holdout_looks=1), reproduces="op_1")
    assert (counted.trials_ever, counted.holdout_looks) == (41, 2)


@pytest.mark.parametrize("stored", ["poor", None])
def test_a_verdict_that_was_never_stored_is_not_recorded(
    tmp_path: Path, stored: str | None
) -> None:
    url = str(tmp_path / "artifacts")
    if stored is not None:
        store_verdict(url, "op_1.assessment", stored)
    with pytest.raises(InvalidInput, match="not that of its stored assessment"):
        require_assessed(experiment(), url)


def test_a_verdict_of_another_research_does_not_do(tmp_path: Path) -> None:
    url = str(tmp_path / "artifacts")
    store_verdict(url, "op_2.assessment", "promising")
    borrowed = {"report_path": "op_2.assessment/report.html"}
    with pytest.raises(InvalidInput):
        require_assessed(experiment(metrics=borrowed), url)


def test_a_stored_verdict_and_no_verdict_are_recorded(tmp_path: Path) -> None:
    url = str(tmp_path / "artifacts")
    store_verdict(url, "op_1.assessment", "promising")
    require_assessed(experiment(), url)
    require_assessed(experiment(operation_id="op_3", verdict=None), url)


def store_verdict(url: str, step: str, verdict: str) -> None:
    result = AssessmentResult(
        verdict=verdict,
        summary="",
        statistics=None,
        observations=[],
        hypotheses=[],
        limitations=[],
    )
    content = result.model_dump_json().encode()
    ArtifactStore(url).open(step).write(Artifact.ASSESSMENT, content)
