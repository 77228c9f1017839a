"""Training: walk-forward folds, then the final model on all development bars.

A training that is interrupted and started again on the same workspace ends with the same bits as an
uninterrupted one. `quant.learning.boosting` explains how.
"""

import hashlib
import time
from typing import Final

import numpy as np

from quant.backtest.account import Account
from quant.backtest.metrics import annualised_sharpe
from quant.backtest.simulation import buy_and_hold
from quant.bars.bars import Bars
from quant.learning import boosting, checkpoint, scoring
from quant.learning.checkpoint import FinishedFold, TrainingState
from quant.learning.panel import Panel
from quant.learning.prediction import trade_predictions
from quant.learning.splits import TRAINING_FOLDS, Fold
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.data import DataInfo
from quant.messages.progress import Progress, ReportProgress
from quant.messages.report.curves import WalkForward
from quant.messages.steps import TrainingResult
from quant.messages.strategy import StrategySpec
from quant.messages.training_metrics import FoldMetrics, IterationMetrics, TrainingMetrics
from quant.strategy.table import FeatureTable
from quant.universe.universe import Universe

CHECKPOINT_SECONDS: Final = 2.0
POINTS_PER_STAGE: Final = 160


def train(
    development: Universe | Bars,
    spec: StrategySpec,
    seed: int,
    workspace: Workspace,
    report: ReportProgress,
    *,
    data: DataInfo,
    benchmark: Universe | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> TrainingResult:
    """Train the model of a strategy, or continue an interrupted training.

    Stores the model, the metrics, the curves of the walk-forward and, on the way, checkpoints.

    Args:
        development: Bars to learn from; the holdout must not be among them.
        spec: The strategy.
        seed: Seed of row and column sampling.
        workspace: Artifacts of this training. It continues from a checkpoint found there.
        report: Called after every iteration.
        data: Description of all bars, for the result.
        benchmark: What is held in comparison, on the same clock; None for the bars themselves.
        checkpoint_seconds: Minimum time between two checkpoints. Only the end of a chunk has one.

    Raises:
        InvalidInput: Too few bars for the features and the horizon.
        CheckpointMismatch: The workspace holds a checkpoint of another training.
    """
    training = _Training(
        Universe.of(development),
        spec,
        seed,
        workspace,
        report,
        checkpoint_seconds=checkpoint_seconds,
        benchmark=Universe.of(development) if benchmark is None else benchmark,
    )
    return training.run(data)


class _Training:
    """One call of `train`, from its checkpoint on."""

    def __init__(
        self,
        development: Universe,
        spec: StrategySpec,
        seed: int,
        workspace: Workspace,
        report: ReportProgress,
        *,
        checkpoint_seconds: float,
        benchmark: Universe,
    ) -> None:
        self._universe = development
        self._benchmark = benchmark
        self._spec = spec
        self._seed = seed
        self._workspace = workspace
        self._report = report
        self._checkpoint_seconds = checkpoint_seconds
        self._panel = Panel.make(FeatureTable(development), spec)
        self._folds = self._panel.split(TRAINING_FOLDS, spec.horizon)
        self._state = self._restore()
        self._saved_at = time.monotonic()

    def run(self, data: DataInfo) -> TrainingResult:
        resumed_from = self._state.iteration if len(self._state.folds) == TRAINING_FOLDS else 0
        if self._state.folds or self._state.iteration:
            self._report_progress(self._state.iteration, "Resuming")
        for fold in self._folds[len(self._state.folds) :]:
            self._finish_fold(fold, self._grow(fold))
        model = self._grow(None).encode()
        self._write_metrics()
        self._workspace.write(Artifact.MODEL, model)
        return self._build_result(model, data, resumed_from, self._trade_folds())

    def _restore(self) -> TrainingState:
        identity = checkpoint.identify(self._universe, self._spec, self._seed)
        try:
            state = checkpoint.restore(identity, self._workspace)
        except checkpoint.CorruptCheckpoint:
            self._report(Progress(current_step="Checkpoint is damaged, starting over"))
            state = None
        return state or TrainingState(identity=identity)

    def _grow(self, fold: Fold | None) -> str:
        """Grow the model of a fold, or the final model for None, from the current state."""
        panel = self._panel
        train = panel.select_train(panel.find_train(fold) if fold else panel.find_known())
        valid = panel.select(panel.find_test(fold)) if fold else None
        model, stage = self._state.model, len(self._state.folds)
        for chunk, end in enumerate(boosting.chunk_ends(self._spec.model.num_iterations)):
            if end <= self._state.iteration:
                continue
            points: list[IterationMetrics] = []
            model = boosting.grow(
                model,
                train,
                valid,
                self._spec.model,
                iterations=end - self._state.iteration,
                seed=boosting.derive_seed(self._seed, stage, chunk),
                on_iteration=self._make_recorder(fold, points),
            )
            self._advance(model=model, iteration=end, history=(*self._state.history, *points))
        return model

    def _make_recorder(
        self, fold: Fold | None, points: list[IterationMetrics]
    ) -> boosting.OnIteration:
        """Return a callback that reports progress and adds some of the iterations to `points`."""
        iterations = self._spec.model.num_iterations
        stride = -(-iterations // POINTS_PER_STAGE)
        name = f"Fold {fold.number} of {TRAINING_FOLDS}" if fold else "Final model"
        number = fold.number if fold else None
        before = self._state.iteration

        def record(added: int, train_loss: float, valid_loss: float | None) -> None:
            iteration = before + added
            if iteration % stride == 0 or iteration == iterations:
                points.append(
                    IterationMetrics(
                        fold=number,
                        iteration=iteration,
                        train_loss=train_loss,
                        valid_loss=valid_loss,
                    )
                )
            self._report_progress(iteration, name, train_loss=train_loss)

        return record

    def _report_progress(self, iteration: int, step: str, **context: float) -> None:
        done, total = self._count_iterations(iteration)
        self._report(
            Progress(
                percentage=100.0 * done / total,
                current_step=step,
                steps_completed=len(self._state.folds),
                steps_total=TRAINING_FOLDS + 1,
                items_processed=done,
                items_total=total,
                current_item=f"Iteration {iteration} of {self._spec.model.num_iterations}",
                context=dict(context),
            )
        )

    def _finish_fold(self, fold: Fold, model: str) -> None:
        panel = self._panel
        trained, tested = panel.find_train(fold), panel.find_test(fold)
        probabilities = boosting.predict(model, panel.features[tested])
        outcome = panel.labels[tested]
        known = ~np.isnan(outcome)
        outcome, forecast = outcome[known], probabilities[known]
        base_rate = float(np.nanmean(panel.labels[trained]))
        finished = FinishedFold(
            metrics=FoldMetrics(
                fold=fold.number,
                train_bars=len(trained),
                test_bars=len(outcome),
                log_loss=scoring.log_loss(outcome, forecast),
                accuracy=scoring.accuracy(outcome, forecast),
                auc=scoring.auc(outcome, forecast),
                precision=scoring.precision(outcome, forecast),
                recall=scoring.recall(outcome, forecast),
                f1_score=scoring.f1_score(outcome, forecast),
            ),
            baseline_log_loss=scoring.log_loss(outcome, np.full_like(outcome, base_rate)),
            probabilities=checkpoint.encode(probabilities),
        )
        self._advance(folds=(*self._state.folds, finished), model="", iteration=0)

    def _advance(self, **changes: object) -> None:
        """Change the state, and save it if the last checkpoint is old enough."""
        self._state = self._state.model_copy(update=changes)
        if time.monotonic() - self._saved_at >= self._checkpoint_seconds:
            checkpoint.save(self._state, self._workspace)
            self._write_metrics()
            self._saved_at = time.monotonic()

    def _write_metrics(self) -> None:
        done, planned = self._count_iterations(self._state.iteration)
        metrics = TrainingMetrics(
            iterations_planned=planned, iterations_completed=done, history=self._state.history
        )
        self._workspace.write(Artifact.TRAINING_METRICS, metrics.model_dump_json().encode())

    def _count_iterations(self, of_this_stage: int) -> tuple[int, int]:
        """Return the numbers of completed and planned iterations, over all models."""
        each = self._spec.model.num_iterations
        return len(self._state.folds) * each + of_this_stage, (TRAINING_FOLDS + 1) * each

    def _build_result(
        self, model: bytes, data: DataInfo, resumed_from: int, walked: Account
    ) -> TrainingResult:
        folds = [fold.metrics for fold in self._state.folds]
        areas = [fold.auc for fold in folds if fold.auc is not None]
        return TrainingResult(
            data=data,
            model_sha256=hashlib.sha256(model).hexdigest(),
            iterations=self._spec.model.num_iterations,
            resumed_from_iteration=resumed_from,
            folds=folds,
            log_loss=float(np.mean([fold.log_loss for fold in folds])),
            baseline_log_loss=float(
                np.mean([fold.baseline_log_loss for fold in self._state.folds])
            ),
            accuracy=float(np.mean([fold.accuracy for fold in folds])),
            auc=float(np.mean(areas)) if areas else None,
            sharpe=annualised_sharpe(walked.excess_returns, self._universe.periods_per_year),
            feature_importance=boosting.compute_importance(model.decode()),
        )

    def _trade_folds(self) -> Account:
        """Trade the predictions of all folds, and store the curves."""
        panel = self._panel
        probabilities = np.concatenate(
            [
                panel.spread(
                    panel.find_test(fold),
                    checkpoint.decode(finished.probabilities),
                    fold.test.start,
                    fold.test.stop,
                )
                for fold, finished in zip(self._folds, self._state.folds, strict=True)
            ]
        )
        tested = self._universe.slice(self._folds[0].test.start, len(self._universe))
        held = buy_and_hold(self._benchmark.slice(self._folds[0].test.start, len(self._universe)))
        run = trade_predictions(self._universe, probabilities, self._spec)
        curves = WalkForward(
            timestamps=tested.iso_times,
            equity=run.equity.tolist(),
            benchmark_equity=held.equity.tolist(),
            returns=run.returns.tolist(),
        )
        self._workspace.write(Artifact.WALK_FORWARD, curves.model_dump_json().encode())
        return run
