"""The first step of a research: the search for a strategy on development bars."""

from pathlib import Path

from errors import MissingArtifact
from quant.backtest.metrics import annualise
from quant.brief.reader import read_brief
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.record.trials import TRIAL_LIST, ReportTrial, TrialOnBars
from quant.messages.search import BegunSearch, DesignOutcome, SliceInput, SliceResult
from quant.messages.steps import DesignInput, DesignResult
from quant.search.plan import SearchPlan
from quant.search.records import read_search
from quant.search.search import search
from quant.search.slices import begin_proposals, begin_search, score_slice
from quant.universe.loader import load_universe
from quant.universe.universe import Universe


def design_strategy(
    inp: DesignInput,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial = ignore_report,
    *,
    plan: SearchPlan | None = None,
) -> DesignResult:
    """Search for a strategy on the development bars, and store all trials as `trials.json`.

    Args:
        inp: The bars, the number of trials, the seed and the features to choose from.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifact.
        report: Called after every trial.
        report_trial: Called with every trial as soon as it is scored. So the trials of an
            interrupted search count, too.
        plan: How the search is cut into rounds. In slices it would find the same.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
    """
    bars = load_universe(inp.data, data_dir)
    inp = _complete(inp, bars)
    return _search_alone(inp, plan or SearchPlan(), bars, workspace, report, report_trial)


def begin_design(
    inp: DesignInput,
    plan: SearchPlan,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial = ignore_report,
    *,
    helpers: int = 0,
) -> DesignOutcome:
    """Do what `design_strategy` does if the search is small, or else begin it only.

    Args:
        inp: The request.
        plan: Says which search is small.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifacts.
        report: Called after every trial.
        report_trial: Called with every trial as soon as it is scored.
        helpers: How many further processes a small search may use.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
        CheckpointMismatch: An earlier run has begun another search.
    """
    bars = load_universe(inp.data, data_dir)
    inp = _complete(inp, bars)
    if plan.is_small(inp.trials, bars.rows):
        result = _search_alone(inp, plan, bars, workspace, report, report_trial, helpers)
        return DesignOutcome(result=result)
    return DesignOutcome(begun=begin_search(inp, plan, bars, workspace))


def begin_proposed_design(
    inp: DesignInput, data_dir: Path | None, workspace: Workspace
) -> BegunSearch:
    """Begin a search whose candidates a language model proposes, or continue it.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
        CheckpointMismatch: An earlier run has begun another search.
    """
    return begin_proposals(inp, load_universe(inp.data, data_dir), workspace)


def score_trials(
    inp: SliceInput,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial = ignore_report,
) -> SliceResult:
    """Score one slice of a search that has begun.

    Raises:
        DataChanged: The bars are no longer those of the search.
        CheckpointMismatch: Another version of a library has begun the search.
        MissingArtifact: The search is not in the store.
    """
    begun = read_search(workspace)
    if begun is None:
        raise MissingArtifact(
            "The search is not in the artifact store. Start over with `ktrdr retry`."
        )
    bars = load_universe(begun.input.data, data_dir)
    return score_slice(inp, begun, bars, workspace, report, report_trial)


def _complete(inp: DesignInput, bars: Universe) -> DesignInput:
    """Return the request with what its brief means, and without trials of other bars."""
    # Inputs of earlier versions have nothing but the brief.
    said = read_brief(inp.brief or "")
    earlier = inp.earlier
    return inp.model_copy(
        update={
            "features": said.features if inp.features is None else inp.features,
            "long_only": said.long_only if inp.long_only is None else inp.long_only,
            "earlier": earlier if earlier and earlier.data_hash == bars.content_hash else None,
        }
    )


def _search_alone(
    inp: DesignInput,
    plan: SearchPlan,
    bars: Universe,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial,
    helpers: int = 0,
) -> DesignResult:
    development, _ = bars.split()
    source = bars.describe().source
    found = search(
        development,
        inp.trials,
        inp.seed,
        report,
        on_trial=lambda trial: report_trial(TrialOnBars(data=source, trial=trial)),
        earlier=inp.earlier.trials if inp.earlier else (),
        features=inp.features or (),
        long_only=inp.long_only or False,
        plan=plan,
        bars=bars.rows,
        helpers=helpers,
    )
    workspace.write(Artifact.TRIALS, TRIAL_LIST.dump_json(found.trials))
    return DesignResult(
        spec=found.spec,
        data=bars.describe(),
        trials=len(found.trials),
        best_sharpe=annualise(found.sharpe, bars.periods_per_year),
        remembered=found.remembered,
    )
