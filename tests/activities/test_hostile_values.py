"""Whatever a job is given, it ends with a result or with an error of ours that says what to do."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from activities import jobs
from activities.computing.compute_process import Failure
from quant.messages.artifacts import Artifact, name_proposals
from quant.messages.data import DataSource
from quant.messages.report.dossier import Dossier
from quant.messages.search import SliceInput
from quant.messages.steps import (
    AssessmentResult,
    DesignInput,
    TrainingInput,
)
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.report.page import render_report
from quant.search.records import Proposals, read_slice
from tests.activities.direct_jobs import do, research
from tests.support.quant.data import broken_rows, walk

ROWS: Final = 700

SPEC = StrategySpec(name="any", features=(FeatureSpec(kind="return", period=5),))


OF_VOLUME = StrategySpec(name="any", features=(FeatureSpec(kind="volume_ratio", period=5),))


LONG = StrategySpec(name="any", features=(FeatureSpec(kind="sma_ratio", period=250),), horizon=60)


def prices(close: Any, **columns: Any) -> pd.DataFrame:
    """Return bars whose opens continue the close before."""
    closes = np.asarray(close, dtype=np.float64)
    opens = np.concatenate([closes[:1], closes[:-1]])
    table = {
        "timestamp": pd.bdate_range("2015-01-02", periods=len(closes)),
        "open": opens,
        "high": np.maximum(opens, closes),
        "low": np.minimum(opens, closes),
        "close": closes,
        "volume": 1000.0,
    }
    return pd.DataFrame(table | columns)


def rising_minutes() -> pd.DataFrame:
    """Return minutes that double within three hours and a half."""
    rise = 0.01 * np.exp(0.002 * np.arange(ROWS))
    times = pd.date_range("2024-05-01", periods=ROWS, freq="min")
    return prices(rise, timestamp=times, high=rise * 1.004, low=rise * 0.99)


EXTREME: Final = {
    "CONSTANT": prices(np.ones(ROWS)),
    "TINY": prices(1e-14 * walk(ROWS, "1D")["close"]),
    "HUGE": prices(1e15 * walk(ROWS, "1D")["close"], volume=1e18),
    "SILENT": prices(walk(ROWS, "1D")["close"], volume=0.0),
    "LEAPING": prices(np.where(np.arange(ROWS) % 2, 1e-14, 1e17)),
    "COLLAPSING": prices(np.geomspace(1e17, 1e-14, ROWS)),
    "EXPLODING": prices(np.geomspace(1e-14, 1e17, ROWS)),
    "DAYLESS": prices(np.repeat(walk(ROWS // 7, "1D")["close"], 7)),
}


UNLEARNABLE: Final = {"CONSTANT": ("invalid_input", "never changes")}


REFUSED: Final = {
    "INFINITE": prices(np.full(ROWS, np.inf)),
    "NEGATIVE": prices(-np.ones(ROWS)),
    "OVERFLOWING": prices(np.ones(ROWS), volume=1e300),
    "DENORMAL": prices(np.full(ROWS, 5e-324)),
    "LATE": prices(np.ones(ROWS), timestamp="9999-12-31"),
    "NESTED": pd.DataFrame({"timestamp": [[1]] * ROWS, "open": [{"a": 1}] * ROWS}),
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> jobs.JobContext:
    data = tmp_path_factory.mktemp("data")
    for name, table in (EXTREME | REFUSED).items():
        table.to_csv(data / f"{name}.csv", index=False)
    for name, lines in broken_rows().items():
        (data / f"{name}.csv").write_text("\n".join(lines))
    rising_minutes().to_csv(data / "RISING_1m.csv", index=False)
    (data / "BINARY.parquet").write_bytes(b"PAR1" + bytes(range(256)) * 50 + b"PAR1")
    (data / "TEXT.csv").write_bytes(bytes(range(1, 128)) * 50)
    walk(ROWS, "1D").to_csv(data / "GOOD.csv", index=False)
    return jobs.JobContext("op", str(tmp_path_factory.mktemp("artifacts")), data)


def each_job(source: DataSource, spec: StrategySpec) -> Iterator[tuple[Any, jobs.Task]]:
    """Yield the jobs that begin with bars, each with a task."""
    yield (
        jobs.design,
        jobs.DesignTask(operation_id="design", input=DesignInput(data=source, trials=2, seed=1)),
    )
    yield (
        jobs.begin_proposals,
        jobs.DesignTask(operation_id="asked", input=DesignInput(data=source, trials=2, seed=1)),
    )
    yield (
        jobs.train,
        jobs.TrainingTask(
            operation_id="training", input=TrainingInput(data=source, spec=spec, seed=1)
        ),
    )


@pytest.mark.parametrize("symbol", [*REFUSED, *broken_rows(), "BINARY", "TEXT", "NOSUCH"])
def test_bars_that_cannot_be_trusted_are_refused_by_every_job(
    context: jobs.JobContext, symbol: str
) -> None:
    for job, task in each_job(DataSource(symbol=symbol), SPEC):
        failure = do(job, task, context).failure
        assert failure is not None
        assert symbol in failure.message
        assert failure.field is not None


@pytest.mark.parametrize("spec", [OF_VOLUME, LONG])
def test_strategies_that_the_bars_do_not_allow_are_refused(
    context: jobs.JobContext, spec: StrategySpec
) -> None:
    *_, (job, task) = each_job(DataSource(symbol="SILENT"), spec)
    failure = do(job, task, context).failure
    assert failure is not None
    assert (failure.reason, failure.field) == ("invalid_input", "features")


@pytest.mark.parametrize("spec", [OF_VOLUME, LONG])
def test_candidates_that_the_bars_do_not_allow_are_refused_and_the_others_scored(
    context: jobs.JobContext, spec: StrategySpec
) -> None:
    operation_id = f"proposed-{spec.fingerprint()}"
    inp = DesignInput(data=DataSource(symbol="SILENT"), trials=3, seed=1)
    begun = jobs.DesignTask(operation_id=operation_id, input=inp)
    assert do(jobs.begin_proposals, begun, context).failure is None
    artifacts = context.open_artifacts(operation_id)
    proposals = Proposals(first=1, specs=(SPEC, spec, SPEC.model_copy(update={"horizon": 2})))
    artifacts.write(name_proposals(1), proposals.model_dump_json().encode())
    part = SliceInput(round_number=1, first=1, last=3)
    slices = jobs.SliceTask(operation_id=operation_id, input=part)
    assert do(jobs.score_trials, slices, context).failure is None
    scored = read_slice(artifacts, part)
    assert [trial.number for trial in scored.trials] == [1, 3]
    [refused] = scored.refused
    assert refused.fingerprint == spec.fingerprint()
    assert "features" in refused.why or "volume" in refused.why or "bars" in refused.why


@pytest.mark.parametrize("symbol", EXTREME)
def test_extreme_bars_end_with_a_verdict_or_a_reason(context: jobs.JobContext, symbol: str) -> None:
    ended = research(context, DataSource(symbol=symbol))
    if isinstance(ended, Failure):
        reason, advice = UNLEARNABLE.get(symbol, ("inconsistent_account", "ktrdr data check"))
        assert ended.reason == reason
        assert advice in ended.message


def test_minutes_that_double_are_assessed_without_a_return_per_year(
    context: jobs.JobContext,
) -> None:
    ended = research(context, DataSource(symbol="RISING", timeframe="1m"))
    assert isinstance(ended, AssessmentResult)
    store = jobs.JobContext("RISING-1m.assessment", context.artifacts_url, None).open_artifacts()
    page = render_report(Dossier.model_validate_json(store.read(Artifact.DOSSIER) or b""))
    assert "not meaningful" in page
    assert "inf%" not in page
