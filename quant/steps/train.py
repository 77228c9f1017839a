"""The second step of a research: training the model of its strategy."""

from pathlib import Path

from quant.learning import training
from quant.messages.artifacts import Workspace
from quant.messages.progress import ReportProgress
from quant.messages.steps import TrainingInput, TrainingResult
from quant.universe.benchmark import load_benchmark
from quant.universe.loader import load_universe


def train_model(
    inp: TrainingInput, data_dir: Path | None, workspace: Workspace, report: ReportProgress
) -> TrainingResult:
    """Train the model of a strategy on the development bars, or continue an earlier training.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or are too few.
        DataChanged: The bars, or those of the benchmark, do not have the required hash.
        CheckpointMismatch: The workspace holds a checkpoint of another training.
    """
    bars = load_universe(inp.data, data_dir)
    development, _ = bars.split()
    benchmark = load_benchmark(inp.spec.benchmark, bars, data_dir, inp.benchmark_hash)
    trained = training.train(
        development,
        inp.spec,
        inp.seed,
        workspace,
        report,
        data=bars.describe(),
        benchmark=benchmark.split()[0],
    )
    # All of it, so that the holdout is the one that was there at the training.
    used = None if inp.spec.benchmark is None else benchmark.content_hash
    return trained.model_copy(update={"benchmark_hash": used})
