"""The first two steps of a research, design and training: bars in, artifacts and a result out."""

from pathlib import Path

from quant import data, training
from quant.metrics import annualised
from quant.models import (
    TRIALS,
    CandidateInput,
    CandidateScore,
    DesignInput,
    DesignResult,
    ReportProgress,
    ReportTrial,
    TrainingInput,
    TrainingResult,
    Trial,
    Tried,
    Workspace,
    unheard,
)
from quant.search import Scorer, search

TRIALS_ARTIFACT = "trials.json"


def design(
    inp: DesignInput,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
    tried: ReportTrial = unheard,
) -> DesignResult:
    """Search for a strategy on the development bars; writes the artifact `trials.json`.

    Args:
        inp: The bars, the number of trials, the seed and the brief.
        data_dir: Where the user's bars are; None if there are none.
        workspace: Receives the artifact.
        report: Called after every trial.
        tried: Called with every trial as soon as it is made, so that the trials of an interrupted
            search count too.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
    """
    bars = data.load(inp.data, data_dir)
    development, _ = bars.split()
    earlier: tuple[Trial, ...] = ()
    if inp.earlier is not None and inp.earlier.data_hash == bars.content_hash:
        earlier = inp.earlier.trials
    source = bars.info().source
    found = search(
        development,
        inp.trials,
        inp.seed,
        inp.brief,
        report,
        tried=lambda trial: tried(Tried(data=source, trial=trial)),
        earlier=earlier,
    )
    workspace.write(TRIALS_ARTIFACT, TRIALS.dump_json(found.trials))
    return DesignResult(
        spec=found.spec,
        data=bars.info(),
        trials=len(found.trials),
        best_sharpe=annualised(found.sharpe, bars.periods_per_year),
        remembered=found.remembered,
        trials_artifact=TRIALS_ARTIFACT,
    )


def score(inp: CandidateInput, data_dir: Path | None) -> CandidateScore:
    """Score one candidate as a search does; the holdout is not used.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few for the candidate.
    """
    bars = data.load(inp.data, data_dir)
    development, _ = bars.split()
    sharpe = Scorer(development, inp.seed).score(inp.spec)
    return CandidateScore(
        data=bars.info(),
        sharpe=sharpe,
        annual_sharpe=annualised(sharpe, bars.periods_per_year),
    )


def train(
    inp: TrainingInput, data_dir: Path | None, workspace: Workspace, report: ReportProgress
) -> TrainingResult:
    """Train the model of a strategy on the development bars, or continue; see `quant.training`.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
        CheckpointMismatch: The workspace holds a checkpoint of another training.
    """
    bars = data.load(inp.data, data_dir)
    development, _ = bars.split()
    return training.train(development, inp.spec, inp.seed, workspace, report, data=bars.info())
