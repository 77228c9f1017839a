"""The gates stop hopeless researches and name the failed figure."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.steps import BacktestResult, TrainingResult
from quant.verdict.gates import (
    BacktestLimits,
    GateLimits,
    TrainingLimits,
    check_backtest,
    check_training,
)
from tests.support.helpers import ROOT
from tests.support.results import INFO

DEFAULTS = GateLimits()


def training(log_loss: float = 0.695, sharpe: float | None = -0.4) -> TrainingResult:
    return TrainingResult(
        data=INFO,
        model_sha256="0" * 64,
        iterations=100,
        folds=[],
        log_loss=log_loss,
        baseline_log_loss=0.690,
        accuracy=0.5,
        auc=0.5,
        sharpe=sharpe,
        feature_importance={},
    )


def backtest(trades: int = 40, max_drawdown: float = 0.3) -> BacktestResult:
    level = CostLevel(
        cost_multiple=1.0,
        total_return=-0.1,
        annual_return=-0.02,
        annual_volatility=0.15,
        sharpe=-0.1,
        max_drawdown=max_drawdown,
        trades=trades,
        win_rate=0.5,
        exposure=0.5,
        turnover=10.0,
    )
    benchmark = Benchmark(total_return=0.7, sharpe=0.8, max_drawdown=0.2)
    return BacktestResult(data=INFO, levels=[level], benchmark=benchmark)


@pytest.mark.parametrize("drawdown", [3, 60, 0, -0.1])
def test_a_drawdown_in_per_cent_is_refused(drawdown: float) -> None:
    with pytest.raises(ValidationError, match=r"0\.3 is 30 %"):
        BacktestLimits(max_drawdown=drawdown)


def test_an_ordinary_model_without_skill_passes() -> None:
    decision = check_training(training(), DEFAULTS.training)

    assert (decision.gate, decision.passed, decision.reason) == ("training", True, None)


def test_an_ordinary_strategy_that_loses_passes() -> None:
    decision = check_backtest(backtest(), DEFAULTS.backtest)

    assert (decision.gate, decision.passed, decision.reason) == ("backtest", True, None)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (
            training(log_loss=0.75),
            "log loss 0.7500 is 0.0600 above the base rate's 0.6900, more than the 0.0500 allowed",
        ),
        (
            training(sharpe=-2.5),
            "walk-forward Sharpe ratio -2.50 is 0.50 below the floor of -2.00",
        ),
        (training(sharpe=None), "no position was ever taken in walk-forward"),
    ],
)
def test_training_gate_says_which_figure_failed_and_by_how_much(
    result: TrainingResult, reason: str
) -> None:
    decision = check_training(result, DEFAULTS.training)

    assert not decision.passed
    assert decision.reason == reason


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (backtest(trades=2), "2 trades on the holdout, 3 fewer than the 5 needed"),
        (
            backtest(max_drawdown=0.75),
            "maximum drawdown 75.0% is 15.0% above the limit of 60%",
        ),
    ],
)
def test_backtest_gate_says_which_figure_failed_and_by_how_much(
    result: BacktestResult, reason: str
) -> None:
    decision = check_backtest(result, DEFAULTS.backtest)

    assert not decision.passed
    assert decision.reason == reason


def test_every_failure_is_named() -> None:
    reason = check_training(training(log_loss=0.8, sharpe=-3.0), DEFAULTS.training).reason

    assert reason is not None
    assert "log loss" in reason
    assert "Sharpe" in reason


def test_a_figure_at_its_limit_passes() -> None:
    limits = TrainingLimits(excess_log_loss=0.0, sharpe=-0.4)
    assert check_training(training(log_loss=0.690), limits).passed
    assert check_backtest(backtest(), BacktestLimits(trades=40, max_drawdown=0.3)).passed


def test_importing_the_gates_does_not_load_numerics() -> None:
    """Workflow code imports the gates, and must stay light."""
    program = "import sys, quant.verdict.gates; assert not {'numpy', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
