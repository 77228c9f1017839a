"""Quality gates: they end a hopeless research early and save its later steps.

The limits stop hopeless candidates only. An ordinary weak one passes and gets its verdict from the
assessment. Workflows call these functions: they must stay deterministic.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from quant.messages.base import FrozenModel
from quant.messages.steps import BacktestResult, GateDecision, TrainingResult
from quant.wording import format_count


def _validate_fraction(value: float) -> float:
    if not 0.0 < value <= 1.0:
        raise ValueError(f"must be above 0 and at most 1, not {value:g}; 0.3 is 30 %")
    return value


# Refuses 30 for 30 %: such a limit would never stop anything.
Fraction = Annotated[
    float,
    AfterValidator(_validate_fraction),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0}),
]


class TrainingLimits(FrozenModel):
    """What a model must reach in walk-forward on development data."""

    excess_log_loss: float = Field(
        0.05,
        ge=-1.0,
        le=10.0,
        description="How much the mean log loss may exceed that of the base rate",
    )
    sharpe: float = Field(
        -2.0, ge=-100.0, le=100.0, description="Minimum annualised Sharpe ratio after 1x cost"
    )


class BacktestLimits(FrozenModel):
    """What a strategy must reach on the holdout at 1x cost."""

    trades: int = Field(
        5,
        strict=True,
        ge=0,
        le=1_000_000,
        description="Minimum number of round trips; fewer could be chance",
    )
    max_drawdown: Fraction = Field(0.6, description="Maximum loss from a peak, as a fraction of it")


class GateLimits(FrozenModel):
    """What a research must reach to continue. Omitted limits have their defaults."""

    training: TrainingLimits = TrainingLimits()
    backtest: BacktestLimits = BacktestLimits()


def check_training(result: TrainingResult, limits: TrainingLimits) -> GateDecision:
    """Decide whether the model is worth a backtest. The reason names every failed figure."""
    failures = []
    excess = result.log_loss - result.baseline_log_loss
    if excess > limits.excess_log_loss:
        failures.append(
            f"log loss {result.log_loss:.4f} is {excess:.4f} above the base rate's "
            f"{result.baseline_log_loss:.4f}, more than the {limits.excess_log_loss:.4f} allowed"
        )
    if result.sharpe is None:
        failures.append("no position was ever taken in walk-forward")
    elif result.sharpe < limits.sharpe:
        failures.append(
            f"walk-forward Sharpe ratio {result.sharpe:z.2f} is "
            f"{limits.sharpe - result.sharpe:.2f} below the floor of {limits.sharpe:.2f}"
        )
    return GateDecision(gate="training", passed=not failures, reason="; ".join(failures) or None)


def check_backtest(result: BacktestResult, limits: BacktestLimits) -> GateDecision:
    """Decide whether the backtest is worth a verdict. The reason names every failed figure."""
    failures = []
    level = result.get_level(1.0)
    if level.trades < limits.trades:
        failures.append(
            f"{format_count(level.trades, 'trade')} on the holdout, "
            f"{limits.trades - level.trades:,} fewer than the {limits.trades:,} needed"
        )
    if level.max_drawdown > limits.max_drawdown:
        failures.append(
            f"maximum drawdown {level.max_drawdown:.1%} is "
            f"{level.max_drawdown - limits.max_drawdown:.1%} above the limit of "
            f"{limits.max_drawdown:.0%}"
        )
    return GateDecision(gate="backtest", passed=not failures, reason="; ".join(failures) or None)
