"""The figures of trainings and backtests, under the names that clients of the earlier system read.

A figure that does not exist is left out: those clients format every figure as a number.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean
from typing import Any

from pydantic import ValidationError

from quant.messages.data import count_development_bars
from quant.messages.steps import BacktestResult, TrainingResult
from workflows.interface.contract import OperationInfo, OperationType
from workflows.requests.parameters import make_model_path


def add_figures(operation: OperationInfo) -> OperationInfo:
    """Return a finished training or backtest with its figures in the summary of its result."""
    summary = operation.result_summary
    if not summary:
        return operation
    try:
        if operation.operation_type is OperationType.TRAINING:
            figures = describe_training(operation, TrainingResult.model_validate(summary))
        elif operation.operation_type is OperationType.BACKTEST:
            figures = describe_backtest(BacktestResult.model_validate(summary))
        else:
            return operation
    except ValidationError:
        return operation  # The result of a workflow that somebody else has written.
    return operation.model_copy(update={"result_summary": {**summary, **figures}})


def describe_training(operation: OperationInfo, result: TrainingResult) -> dict[str, Any]:
    """Return the figures of a training. All are of bars that the model had not seen."""
    seconds = _measure_seconds(operation.started_at, operation.completed_at)
    return {
        "training_metrics": _leave_out_none(
            epochs_completed=result.iterations,
            final_val_loss=result.log_loss,
            final_val_accuracy=result.accuracy,
            training_time_minutes=None if seconds is None else seconds / 60.0,
        ),
        "test_metrics": _leave_out_none(
            test_loss=result.log_loss,
            test_accuracy=result.accuracy,
            precision=_average([fold.precision for fold in result.folds]),
            recall=_average([fold.recall for fold in result.folds]),
            f1_score=_average([fold.f1_score for fold in result.folds]),
            auc=result.auc,
            sharpe_ratio=result.sharpe,
        ),
        "data_summary": {
            "symbols": list(result.data.instruments),
            "timeframes": [result.data.timeframe],
            "start_date": result.data.start,
            "end_date": result.data.holdout_start,
            "total_samples": count_development_bars(result.data.bars),
        },
        "model_path": make_model_path(operation.operation_id),
    }


def describe_backtest(result: BacktestResult) -> dict[str, Any]:
    """Return the figures of a backtest, after 1x cost."""
    level = result.get_level(1.0)
    traded = result.traded_bars
    if traded is None:  # In results of earlier versions.
        traded = result.data.bars - count_development_bars(result.data.bars)
    return {
        "metrics": _leave_out_none(
            total_return=level.total_return,
            total_return_pct=level.total_return,
            annual_return=level.annual_return,
            volatility=level.annual_volatility,
            sharpe_ratio=level.sharpe,
            max_drawdown=level.max_drawdown,
            max_drawdown_pct=level.max_drawdown,
            win_rate=level.win_rate,
            total_trades=level.trades,
            exposure=level.exposure,
            benchmark_return=result.benchmark.total_return,
            initial_capital=result.initial_capital,
            final_capital=result.initial_capital * (1.0 + level.total_return),
        ),
        "trade_count": level.trades,
        "total_bars": traded,
        "equity_curve_length": traded,
    }


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _measure_seconds(begun: datetime | None, ended: datetime | None) -> float | None:
    return (ended - begun).total_seconds() if begun and ended else None


def _leave_out_none(**figures: float | None) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}
