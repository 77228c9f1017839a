"""The first two steps of a research, design and training: bars in, artifacts and a result out."""

import math
from pathlib import Path

from quant import data, training
from quant.models import (
    TRIALS,
    CandidateInput,
    CandidateScore,
    DesignInput,
    DesignResult,
    ReportProgress,
    TrainingInput,
    TrainingResult,
    Trial,
    Workspace,
)
from quant.search import Scorer, search

TRIALS_ARTIFACT = "trials.json"


def design(
    inp: DesignInput, data_dir: Path | None, workspace: Workspace, report: ReportProgress
) -> DesignResult:
    """Search for a strategy on the development bars; writes the artifact `trials.json`.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
    """
    bars = data.load(inp.data, data_dir)
    development, _ = bars.split()
    earlier: tuple[Trial, ...] = ()
    if inp.earlier is not None and inp.earlier.data_hash == bars.content_hash:
        earlier = inp.earlier.trials
    found = search(development, inp.trials, inp.seed, inp.brief, report, earlier)
    workspace.write(TRIALS_ARTIFACT, TRIALS.dump_json(found.trials))
    annualise = math.sqrt(bars.periods_per_year)
    return DesignResult(
        spec=found.spec,
        data=bars.info(),
        trials=len(found.trials),
        best_sharpe=None if found.sharpe is None else found.sharpe * annualise,
        remembered=found.remembered,
        trials_artifact=TRIALS_ARTIFACT,
    )


def score(inp: CandidateInput, data_dir: Path | None) -> CandidateScore:
    """Score one candidate as a search does; the holdout is not looked at.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few for the candidate.
    """
    bars = data.load(inp.data, data_dir)
    development, _ = bars.split()
    sharpe = Scorer(development, inp.seed).score(inp.spec)
    return CandidateScore(
        data=bars.info(),
        sharpe=sharpe,
        annual_sharpe=None if sharpe is None else sharpe * math.sqrt(bars.periods_per_year),
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
