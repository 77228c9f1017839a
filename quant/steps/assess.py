"""The last step of a research: the assessment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import InvalidData, InvalidInput
from quant.backtest.metrics import to_returns
from quant.backtest.tear_sheet import make_tear_sheet
from quant.bars.bars import Floats
from quant.messages.artifacts import Artifact, Workspace, parse_artifact
from quant.messages.progress import ReportProgress, Stages
from quant.messages.record.trials import Trial
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.report.dossier import Dossier
from quant.messages.steps import AssessmentInput, AssessmentResult
from quant.search.stability import measure_stability
from quant.universe.loader import load_universe
from quant.universe.remarks import describe_universe
from quant.verdict import remarks
from quant.verdict.criteria import list_criteria
from quant.verdict.hypotheses import suggest_hypotheses
from quant.verdict.significance import Significance, measure_significance
from quant.verdict.verdict import decide_verdict, summarise
from quant.versions import list_versions


@dataclass(frozen=True)
class StepArtifacts:
    """What the previous steps have stored.

    Attributes:
        walk_forward: The content of `walk_forward.json`.
        curves: The content of `backtest.json`; None if a gate stopped the research.
        trials: The content of `trials.json`; None if the strategy was given.
    """

    walk_forward: bytes
    curves: bytes | None = None
    trials: bytes | None = None


def assess_research(
    inp: AssessmentInput,
    artifacts: StepArtifacts,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    *,
    neighbours: bool = True,
) -> AssessmentResult:
    """Judge a research and store `assessment.json` and `report.json`.

    The page for people is drawn from the latter when somebody looks at it.

    Args:
        inp: The results of the previous steps.
        artifacts: What these steps have stored.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifacts.
        report: Called after each stage.
        neighbours: Whether to score similar strategies, on which no verdict depends.

    Raises:
        InvalidInput: There is neither a gate rejection nor a backtest with its curves.
        InvalidData: The bars have changed since the training.
        DamagedArtifact: What the previous steps have stored cannot be read.
    """
    if inp.gate_rejection is None and (inp.backtest is None or artifacts.curves is None):
        raise InvalidInput("Without a gate rejection an assessment needs a backtest.")
    stages = Stages(report, "load", "statistics", "neighbours", "report")
    stages.start()
    bars = load_universe(inp.data, data_dir)
    if bars.content_hash != inp.training.data.content_hash:
        raise InvalidData(f"The bars of {inp.data.symbol} have changed since the training.")
    walk_forward = parse_artifact(WalkForward, artifacts.walk_forward, Artifact.WALK_FORWARD)
    curves = (
        None
        if artifacts.curves is None
        else parse_artifact(Curves, artifacts.curves, Artifact.CURVES)
    )

    stages.start()
    judged: Significance | None = None
    if inp.gate_rejection is None and curves is not None:
        cash = inp.spec.costs.cash_rate / bars.periods_per_year
        judged = measure_significance(
            _exceed(curves.returns, cash),
            _exceed(walk_forward.returns, cash),
            bars.periods_per_year,
            holdout_market=_exceed(to_returns(curves.benchmark_equity), cash),
            walk_forward_market=_exceed(to_returns(walk_forward.benchmark_equity), cash),
            trials_ever=inp.trials_ever,
            holdout_looks=inp.holdout_looks,
            timing=_get_timing_p_value(inp),
            seed=inp.seed,
        )

    stages.start()
    development, _ = bars.split()
    stability = (
        None
        if judged is None or not neighbours
        else measure_stability(development, inp.spec, inp.seed)
    )

    stages.start()
    figures = None if judged is None else judged.figures
    result = AssessmentResult(
        verdict=decide_verdict(figures, inp.backtest, inp.spec.costs),
        summary=summarise(inp, figures),
        statistics=figures,
        conditions=(
            ()
            if figures is None or inp.backtest is None
            else tuple(list_criteria(figures, inp.backtest, inp.spec.costs))
        ),
        market=inp.market,
        ledger_head=inp.ledger_head and inp.ledger_head.text,
        stability=stability,
        observations=remarks.list_observations(inp, figures, curves, stability),
        hypotheses=suggest_hypotheses(inp, curves),
        limitations=[
            *remarks.list_limitations(inp, figures, curves),
            *describe_universe(bars, inp.data, data_dir),
            *remarks.describe_all_bars(bars, inp.spec.costs),
        ],
    )
    dossier = Dossier(
        input=inp,
        result=result,
        periods_per_year=bars.periods_per_year,
        walk_forward=walk_forward,
        curves=curves,
        trials=(
            []
            if artifacts.trials is None
            else parse_artifact(list[Trial], artifacts.trials, Artifact.TRIALS)
        ),
        resampled_sharpes=[] if judged is None else list(judged.resampled),
        versions=list_versions(),
    )
    _store(dossier.model_copy(update={"tear_sheet": make_tear_sheet(dossier)}), workspace)
    stages.finish()
    return result


def publish_assessment(result: AssessmentResult, workspace: Workspace) -> None:
    """Store an assessment again, with what was added to its result.

    Raises:
        InvalidInput: The assessment was never stored.
    """
    stored = workspace.read(Artifact.DOSSIER)
    if stored is None:
        raise InvalidInput("There is no assessment to publish again.")
    dossier = parse_artifact(Dossier, stored, Artifact.DOSSIER)
    _store(dossier.model_copy(update={"result": result}), workspace)


def _exceed(returns: list[float] | Floats, cash: float) -> Floats:
    """Return what returns exceed those of cash by, shape (bars,). The first is 0, as it was."""
    excess = np.array(returns) - cash
    excess[:1] = 0.0
    return excess


def _get_timing_p_value(inp: AssessmentInput) -> float:
    """Return the p-value against random entries; 1 if there are none."""
    random = inp.backtest and inp.backtest.random_entries
    return random.p_value if random else 1.0


def _store(dossier: Dossier, workspace: Workspace) -> None:
    """Store the result, and all that a report shows."""
    workspace.write(Artifact.ASSESSMENT, dossier.result.model_dump_json(indent=2).encode())
    workspace.write(Artifact.DOSSIER, dossier.model_dump_json().encode())
