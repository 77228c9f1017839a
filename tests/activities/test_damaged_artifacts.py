"""Artifacts that are damaged, missing or do not fit are named, or done without."""

import hashlib
from typing import Any

import pytest

from activities import jobs
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.record.trials import EarlierTrials, Trial
from quant.messages.report.dossier import Dossier
from quant.messages.search import DesignOutcome
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    DesignInput,
    TrainingInput,
    TrainingResult,
)
from quant.messages.strategy import FeatureSpec, StrategySpec
from tests.activities.direct_jobs import do, research
from tests.support.quant.data import walk

SPEC = StrategySpec(name="any", features=(FeatureSpec(kind="return", period=5),))


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


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> jobs.JobContext:
    data = tmp_path_factory.mktemp("data")
    walk(700, "1D").to_csv(data / "GOOD.csv", index=False)
    return jobs.JobContext("op", str(tmp_path_factory.mktemp("artifacts")), data)


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
