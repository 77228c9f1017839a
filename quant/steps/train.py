"""The second step of a research: training the model of its strategy."""

from pathlib import Path

from quant.bars.loader import load_bars
from quant.learning import training
from quant.messages.artifacts import Workspace
from quant.messages.progress import ReportProgress
from quant.messages.steps import TrainingInput, TrainingResult


def train_model(
    inp: TrainingInput, data_dir: Path | None, workspace: Workspace, report: ReportProgress
) -> TrainingResult:
    """Train the model of a strategy on the development bars, or continue an earlier training.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
        CheckpointMismatch: The workspace holds a checkpoint of another training.
    """
    bars = load_bars(inp.data, data_dir)
    development, _ = bars.split()
    return training.train(development, inp.spec, inp.seed, workspace, report, data=bars.describe())
