"""The first step of a research: the search for a strategy on development bars."""

from pathlib import Path

from quant.backtest.metrics import annualise
from quant.bars.loader import load_bars
from quant.brief.reader import read_brief
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.progress import ReportProgress, ignore_report
from quant.messages.steps import CandidateInput, CandidateScore, DesignInput, DesignResult
from quant.messages.trials import TRIAL_LIST, ReportTrial, Trial, TrialOnBars
from quant.search.scorer import Scorer
from quant.search.search import search


def design_strategy(
    inp: DesignInput,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial = ignore_report,
) -> DesignResult:
    """Search for a strategy on the development bars, and store all trials as `trials.json`.

    Args:
        inp: The bars, the number of trials, the seed and the features to choose from.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifact.
        report: Called after every trial.
        report_trial: Called with every trial as soon as it is scored. So the trials of an
            interrupted search count, too.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
    """
    bars = load_bars(inp.data, data_dir)
    development, _ = bars.split()
    earlier: tuple[Trial, ...] = ()
    if inp.earlier is not None and inp.earlier.data_hash == bars.content_hash:
        earlier = inp.earlier.trials
    source = bars.describe().source
    # Inputs of earlier versions have nothing but the brief.
    said = read_brief(inp.brief or "")
    found = search(
        development,
        inp.trials,
        inp.seed,
        report,
        on_trial=lambda trial: report_trial(TrialOnBars(data=source, trial=trial)),
        earlier=earlier,
        features=said.features if inp.features is None else inp.features,
        long_only=said.long_only if inp.long_only is None else inp.long_only,
    )
    workspace.write(Artifact.TRIALS, TRIAL_LIST.dump_json(found.trials))
    return DesignResult(
        spec=found.spec,
        data=bars.describe(),
        trials=len(found.trials),
        best_sharpe=annualise(found.sharpe, bars.periods_per_year),
        remembered=found.remembered,
    )


def score_candidate(inp: CandidateInput, data_dir: Path | None) -> CandidateScore:
    """Score one candidate on the development bars, as a search does.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few for the candidate.
    """
    bars = load_bars(inp.data, data_dir)
    development, _ = bars.split()
    sharpe = Scorer(development, inp.seed).score(inp.spec)
    return CandidateScore(
        data=bars.describe(),
        sharpe=sharpe,
        annual_sharpe=annualise(sharpe, bars.periods_per_year),
    )
