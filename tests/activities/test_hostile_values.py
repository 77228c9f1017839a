"""Whatever a job is given, it ends with a result or with an error of ours that says what to do."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from activities import jobs
from activities.computing.compute_process import Failure, Message, do_job
from quant.messages.artifacts import Artifact, name_proposals
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.record.trials import EarlierTrials, Trial
from quant.messages.report.dossier import Dossier
from quant.messages.search import DesignOutcome, SliceInput
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    TrainingInput,
    TrainingResult,
)
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.report.page import render_report
from quant.search.records import Proposals, read_slice
from tests.support.helpers import looks_like_a_stack_trace
from tests.support.quant.data import broken_rows, walk

ROWS: Final = 700
LONGEST_MESSAGE: Final = 1_000
SPEC = StrategySpec(name="any", features=(FeatureSpec(kind="return", period=5),))
OF_VOLUME = StrategySpec(name="any", features=(FeatureSpec(kind="volume_ratio", period=5),))
LONG = StrategySpec(name="any", features=(FeatureSpec(kind="sma_ratio", period=250),), horizon=60)
JUNK = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe\x00",
    b"{" * 100_000,
    b'{"timestamps": ' + b"[null," * 50_000,
    b'[{"number": "' + b"x" * 100_000 + b'"}]',
)


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


def do(job: Any, task: jobs.Task, context: jobs.JobContext) -> Message:
    """Do a job as a compute process does, and check what it would tell a user."""
    operation = jobs.JobContext(task.operation_id, context.artifacts_url, context.data_dir)
    message = Message.model_validate_json(do_job(job, task, operation, ignore_report, {}))
    if message.failure is not None:
        require_readable(message.failure)
    return message


def require_readable(failure: Failure) -> None:
    """Check that a failure is one of ours: short, in sentences, and without a trace."""
    assert failure.reason != "internal", failure.message
    assert 20 < len(failure.message) < LONGEST_MESSAGE
    assert failure.message.endswith((".", "`"))
    assert not looks_like_a_stack_trace(failure.message)


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


def research(context: jobs.JobContext, source: DataSource) -> AssessmentResult | Failure:
    """Do all jobs of a research, up to the first that fails."""
    place = f"{source.symbol}-{source.timeframe}"
    designed = do(
        jobs.design,
        jobs.DesignTask(
            operation_id=f"{place}.design", input=DesignInput(data=source, trials=3, seed=1)
        ),
        context,
    )
    if designed.failure:
        return designed.failure
    design = DesignOutcome.model_validate(designed.result).result
    assert design is not None
    inputs = {"data": design.data.source, "spec": design.spec, "seed": 1}
    trained = do(
        jobs.train,
        jobs.TrainingTask(operation_id=f"{place}.training", input=TrainingInput(**inputs)),
        context,
    )
    if trained.failure:
        return trained.failure
    training = TrainingResult.model_validate(trained.result)
    tested = do(
        jobs.backtest,
        jobs.BacktestTask(
            operation_id=f"{place}.backtest",
            training_id=f"{place}.training",
            input=BacktestInput(**inputs, model_sha256=training.model_sha256),
        ),
        context,
    )
    if tested.failure:
        return tested.failure
    backtest = BacktestResult.model_validate(tested.result)
    assessed = do(
        jobs.assess,
        jobs.AssessmentTask(
            operation_id=f"{place}.assessment",
            design_id=f"{place}.design",
            training_id=f"{place}.training",
            backtest_id=f"{place}.backtest",
            input=AssessmentInput(
                operation_id=place, training=training, design=design, backtest=backtest, **inputs
            ),
        ),
        context,
    )
    return assessed.failure or AssessmentResult.model_validate(assessed.result)


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


@pytest.fixture(scope="module")
def assessed(context: jobs.JobContext) -> AssessmentInput:
    """The input of an assessment of good bars, whose artifacts are in the store."""
    assert isinstance(research(context, DataSource(symbol="GOOD")), AssessmentResult)
    store = jobs.JobContext("GOOD-1d.assessment", context.artifacts_url, None).open_artifacts()
    return Dossier.model_validate_json(store.read(Artifact.DOSSIER) or b"").input


@pytest.fixture(params=JUNK, ids=range(len(JUNK)))
def junk(request: pytest.FixtureRequest, context: jobs.JobContext) -> bytes:
    """Junk, which the operation `damaged` has stored as every artifact."""
    content: bytes = request.param
    damaged = jobs.JobContext("damaged", context.artifacts_url, None).open_artifacts()
    for name in Artifact:
        damaged.write(name, content)
    return content


def test_a_damaged_model_is_refused(
    context: jobs.JobContext, assessed: AssessmentInput, junk: bytes
) -> None:
    for digest in (
        assessed.training.model_sha256,
        hashlib.sha256(junk.decode(errors="replace").encode()).hexdigest(),
    ):
        task = jobs.BacktestTask(
            operation_id="junk",
            training_id="damaged",
            input=BacktestInput(
                data=assessed.training.data.source, spec=SPEC, seed=1, model_sha256=digest
            ),
        )
        failure = do(jobs.backtest, task, context).failure
        assert failure is not None
        assert "model" in failure.message


@pytest.mark.parametrize("part", ["design_id", "training_id", "backtest_id"])
def test_damaged_artifacts_are_named(
    context: jobs.JobContext, assessed: AssessmentInput, junk: bytes, part: str
) -> None:
    places = {f"{name}_id": f"GOOD-1d.{name}" for name in ("design", "training", "backtest")}
    task = jobs.AssessmentTask(operation_id="junk", input=assessed, **(places | {part: "damaged"}))
    failure = do(jobs.assess, task, context).failure
    if part == "design_id" and junk == b"[]":  # A list of no trials is one.
        assert failure is None
    else:
        assert failure is not None
        assert failure.reason == "damaged_artifact"
        assert ".json is damaged" in failure.message


@pytest.mark.usefixtures("junk")
def test_a_damaged_report_is_not_published_again(context: jobs.JobContext) -> None:
    store = jobs.JobContext("GOOD-1d.assessment", context.artifacts_url, None).open_artifacts()
    result = Dossier.model_validate_json(store.read(Artifact.DOSSIER) or b"").result
    task = jobs.PublishTask(operation_id="damaged", result=result)
    failure = do(jobs.publish, task, context).failure
    assert failure is not None
    assert failure.reason == "damaged_artifact"


@pytest.mark.usefixtures("junk")
def test_a_damaged_checkpoint_starts_over(context: jobs.JobContext) -> None:
    task = jobs.TrainingTask(
        operation_id="damaged",
        input=TrainingInput(data=DataSource(symbol="GOOD"), spec=SPEC, seed=1),
    )
    assert TrainingResult.model_validate(do(jobs.train, task, context).result).iterations


def test_missing_artifacts_are_named(context: jobs.JobContext, assessed: AssessmentInput) -> None:
    task = jobs.AssessmentTask(
        operation_id="junk", training_id="nowhere", backtest_id=None, input=assessed
    )
    failure = do(jobs.assess, task, context).failure
    assert failure is not None
    assert failure.reason == "missing_artifact"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"x" * 1000: 1},
        {"rsi": True, "rsi_period": -5},
        {"horizon": 10**30, "threshold": 1e308},
    ],
)
def test_earlier_trials_that_fit_no_search_are_left_out(
    context: jobs.JobContext, assessed: AssessmentInput, parameters: dict[str, Any]
) -> None:
    bars = assessed.training.data
    trial = Trial(number=1, fingerprint="x", sharpe=1.0, parameters=parameters)
    earlier = EarlierTrials(data_hash=bars.content_hash, trials=(trial,))
    task = jobs.DesignTask(
        operation_id="design",
        input=DesignInput(data=bars.source, trials=1, seed=1, earlier=earlier),
    )
    found = DesignOutcome.model_validate(do(jobs.design, task, context).result).result
    assert found is not None
    assert found.remembered == 0
