"""Backtest and assessment on real bars with a small trained model."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from errors import InvalidData, InvalidInput
from quant.bars.loader import load_bars
from quant.learning.training import train
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.data import DataSource
from quant.messages.progress import Progress, ignore_report
from quant.messages.report.curves import Curves
from quant.messages.report.dossier import Dossier
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    TrainingResult,
)
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from quant.report.page import render_report
from quant.steps.assess import StepArtifacts, assess_research
from quant.steps.backtest import backtest_holdout
from quant.verdict import remarks
from quant.verdict.significance import adjust_for_looks
from quant.verdict.verdict import decide_verdict
from storage.artifacts import ArtifactStore

SOURCE = load_bars(DataSource(symbol="SP500"), None).describe().source
SEED = 11
SPEC = StrategySpec(
    name="small",
    description="<script>alert('description')</script>",
    features=(FeatureSpec(kind="rsi", period=14), FeatureSpec(kind="return", period=5)),
    model=ModelSpec(num_iterations=10),
    threshold=0.04,
)


def workspace_in(directory: Path) -> Workspace:
    return ArtifactStore(str(directory)).open("research")


@dataclass(frozen=True)
class Research:
    """The steps before the assessment, run once for all tests."""

    training: TrainingResult
    model_text: str
    backtest: BacktestResult
    walk_forward: bytes
    curves: bytes
    progress: tuple[Progress, ...]

    @property
    def artifacts(self) -> StepArtifacts:
        return StepArtifacts(self.walk_forward, self.curves)


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Research:
    workspace = workspace_in(tmp_path_factory.mktemp("research"))
    bars = load_bars(SOURCE, None)
    development, _ = bars.split()
    training = train(development, SPEC, SEED, workspace, ignore_report, data=bars.describe())
    model = workspace.read(Artifact.MODEL)
    assert model is not None
    progress: list[Progress] = []
    inp = BacktestInput(data=SOURCE, spec=SPEC, seed=SEED, model_sha256=training.model_sha256)
    result = backtest_holdout(inp, model.decode(), None, workspace, progress.append)
    curves = workspace.read(Artifact.CURVES)
    walk_forward = workspace.read(Artifact.WALK_FORWARD)
    assert curves is not None and walk_forward is not None
    return Research(training, model.decode(), result, walk_forward, curves, tuple(progress))


def assessment_input(
    research: Research, *, gate_rejection: str | None = None, trials_ever: int = 12
) -> AssessmentInput:
    return AssessmentInput(
        operation_id="research",
        data=SOURCE,
        spec=SPEC,
        seed=SEED,
        brief="<img src=x onerror=alert('brief')>",
        training=research.training,
        backtest=None if gate_rejection else research.backtest,
        gate_rejection=gate_rejection,
        trials_ever=trials_ever,
    )


def run_assessment(
    inp: AssessmentInput, artifacts: StepArtifacts, directory: Path
) -> tuple[AssessmentResult, str]:
    """Return the result and the report."""
    workspace = workspace_in(directory)
    result = assess_research(inp, artifacts, None, workspace, ignore_report)
    assert workspace.read(Artifact.REPORT) is None
    dossier = workspace.read(Artifact.DOSSIER)
    assert dossier is not None
    return result, render_report(Dossier.model_validate_json(dossier))


def test_backtest_measures_the_holdout_only(research: Research) -> None:
    curves = Curves.model_validate_json(research.curves)

    assert curves.timestamps[0] == research.backtest.data.holdout_start
    assert curves.timestamps[-1] == research.backtest.data.end
    lengths = {len(series) for series in curves.equity.values()}
    lengths |= {len(curves.returns), len(curves.drawdown), len(curves.benchmark_equity)}
    assert lengths == {len(curves.timestamps)}
    assert all(trade.entry_time > curves.timestamps[0] for trade in curves.trades)


def test_backtest_curves_agree_with_its_figures(research: Research) -> None:
    curves = Curves.model_validate_json(research.curves)
    level = research.backtest.get_level(1.0)

    assert curves.equity["1x"][-1] - 1.0 == pytest.approx(level.total_return)
    assert np.prod(1.0 + np.array(curves.returns)) == pytest.approx(1.0 + level.total_return)
    assert max(curves.drawdown) == level.max_drawdown
    assert len(curves.trades) == level.trades > 0
    assert sum(trade.profit for trade in curves.trades) == pytest.approx(level.total_return)


def test_costs_only_ever_take_away(research: Research) -> None:
    returns = [research.backtest.get_level(multiple).total_return for multiple in (0.0, 1.0, 2.0)]

    assert returns == sorted(returns, reverse=True)
    assert len({level.trades for level in research.backtest.levels}) == 1


def test_benchmark_is_buy_and_hold_without_cost(research: Research) -> None:
    _, holdout = load_bars(SOURCE, None).split()

    held = holdout.open[-1] / holdout.open[1] - 1.0
    assert research.backtest.benchmark.total_return == pytest.approx(held)


def test_backtest_reports_its_stages_up_to_the_end(research: Research) -> None:
    percentages = [progress.percentage for progress in research.progress]

    assert percentages == sorted(percentages)
    assert (percentages[0], percentages[-1]) == (0.0, 100.0)


def test_backtest_refuses_another_model_than_the_trained_one(
    research: Research, tmp_path: Path
) -> None:
    other = hashlib.sha256(b"another model").hexdigest()
    inp = BacktestInput(data=SOURCE, spec=SPEC, seed=SEED, model_sha256=other)

    with pytest.raises(InvalidInput, match="not the one that was trained"):
        backtest_holdout(inp, research.model_text, None, workspace_in(tmp_path), ignore_report)


def test_backtest_gives_the_same_bits_again(research: Research, tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    sha256 = research.training.model_sha256
    inp = BacktestInput(data=SOURCE, spec=SPEC, seed=SEED, model_sha256=sha256)

    assert (
        backtest_holdout(inp, research.model_text, None, workspace, ignore_report)
        == research.backtest
    )
    assert workspace.read(Artifact.CURVES) == research.curves


def test_assessment_states_the_verdict_with_its_figures(research: Research, tmp_path: Path) -> None:
    inp = assessment_input(research)

    result, report = run_assessment(inp, research.artifacts, tmp_path)

    assert result.statistics is not None
    assert result.statistics.sharpe == pytest.approx(research.backtest.get_level(1.0).sharpe)
    assert result.verdict == decide_verdict(result.statistics, research.backtest, SPEC.costs)
    assert f"{research.backtest.get_level(1.0).total_return:.1%}" in result.summary
    assert result.observations
    assert result.hypotheses
    [disclosed] = remarks.describe_bars(load_bars(SOURCE, None), SPEC.costs)
    assert result.limitations[-1] == disclosed
    assert disclosed in report
    for shown in ("Performance on the holdout", "<svg", research.training.model_sha256, str(SEED)):
        assert shown in report
    stored = workspace_in(tmp_path).read(Artifact.ASSESSMENT)
    assert stored is not None
    assert json.loads(stored) == result.model_dump(mode="json")


def test_an_assessment_counts_all_that_was_tried_and_seen(
    research: Research, tmp_path: Path
) -> None:
    inp = assessment_input(research)
    few, _ = run_assessment(inp, research.artifacts, tmp_path / "few")
    counts = {"trials_ever": 500, "holdout_looks": 7}
    many, _ = run_assessment(inp.model_copy(update=counts), research.artifacts, tmp_path / "many")

    assert few.statistics is not None and many.statistics is not None
    assert {name: getattr(many.statistics, name) for name in counts} == counts
    assert many.statistics.deflated_sharpe < few.statistics.deflated_sharpe
    assert many.statistics.confirmed_sharpe < few.statistics.confirmed_sharpe
    assert many.statistics.p_value == adjust_for_looks(7, few.statistics.p_value)


def test_the_p_value_of_random_entries_counts(research: Research, tmp_path: Path) -> None:
    random = research.backtest.random_entries
    assert random is not None and random.p_value > 0.0
    nothing_to_time = research.backtest.model_copy(update={"random_entries": None})
    inp = assessment_input(research).model_copy(update={"holdout_looks": 3})
    for backtested, expected in (
        (research.backtest, adjust_for_looks(3, random.p_value)),
        (nothing_to_time, 1.0),
    ):
        result, _ = run_assessment(
            inp.model_copy(update={"backtest": backtested}), research.artifacts, tmp_path
        )
        assert result.statistics is not None
        assert result.statistics.timing_p_value == expected


def test_equal_inputs_give_equal_bytes(research: Research, tmp_path: Path) -> None:
    inp = assessment_input(research)

    first = run_assessment(inp, research.artifacts, tmp_path / "first")
    second = run_assessment(inp, research.artifacts, tmp_path / "second")

    assert first == second


def test_a_rejected_research_gets_a_verdict_and_a_report(
    research: Research, tmp_path: Path
) -> None:
    inp = assessment_input(research, gate_rejection="log loss 0.9000 is far too high")

    result, report = run_assessment(inp, StepArtifacts(research.walk_forward), tmp_path)

    assert result.verdict == "no_signal"
    assert result.statistics is None
    assert "log loss 0.9000 is far too high" in result.summary
    assert "log loss 0.9000 is far too high" in report
    assert "Performance on the holdout" not in report
    # Only the walk-forward is drawn, once for each of two widths.
    assert report.count("<svg") == 3


def test_a_research_rejected_after_its_backtest_shows_it(
    research: Research, tmp_path: Path
) -> None:
    inp = assessment_input(research).model_copy(update={"gate_rejection": "2 trades"})

    result, report = run_assessment(inp, research.artifacts, tmp_path)

    assert result.verdict == "no_signal"
    assert result.statistics is None
    assert "<svg" in report


def test_report_needs_nothing_from_outside(research: Research, tmp_path: Path) -> None:
    _, report = run_assessment(assessment_input(research), research.artifacts, tmp_path)

    # Attributes and style rules that make a browser fetch something; local anchors do not.
    assert not re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["'](?!\#)""", report)
    assert not re.findall(r"url\((?!#)|@import", report)
    for tag in ("<script", "<link", "<img", "<iframe", "<object", "<?xml", "<!DOCTYPE svg"):
        assert tag not in report


def test_report_escapes_what_people_and_models_wrote(research: Research, tmp_path: Path) -> None:
    _, report = run_assessment(assessment_input(research), research.artifacts, tmp_path)

    assert "&lt;script&gt;alert(&#39;description&#39;)" in report
    assert "&lt;img src=x onerror=alert(&#39;brief&#39;)&gt;" in report


def test_assessment_refuses_bars_that_changed(research: Research, tmp_path: Path) -> None:
    inp = assessment_input(research).model_copy(update={"data": DataSource(symbol="NASDAQ")})

    with pytest.raises(InvalidData, match="have changed"):
        assess_research(inp, research.artifacts, None, workspace_in(tmp_path), ignore_report)


def test_assessment_without_a_rejection_needs_the_curves(
    research: Research, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="needs a backtest"):
        assess_research(
            assessment_input(research),
            StepArtifacts(research.walk_forward),
            None,
            workspace_in(tmp_path),
            ignore_report,
        )
