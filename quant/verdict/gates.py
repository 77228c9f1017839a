"""Quality gates: a hopeless research ends early and saves the cost of its later steps.

Pure arithmetic on results, so that a workflow can call it. The limits stop hopeless candidates
only; an ordinary weak one passes and gets its verdict from the assessment.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from quant.messages.base import FrozenModel
from quant.messages.steps import BacktestResult, GateDecision, TrainingResult
from quant.wording import format_count


def _a_part(value: float) -> float:
    if not 0.0 < value <= 1.0:
        raise ValueError(f"must be above 0 and at most 1, not {value:g}; 0.3 is 30 %")
    return value


# Who means per cent is told so; a limit of 30 would never stop anything.
Fraction = Annotated[
    float,
    AfterValidator(_a_part),
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


def training_gate(result: TrainingResult, limits: TrainingLimits) -> GateDecision:
    """Decide whether the model is worth a backtest; the reason names every figure that failed."""
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


def backtest_gate(result: BacktestResult, limits: BacktestLimits) -> GateDecision:
    """Decide whether the backtest is worth a verdict; the reason names every figure that failed."""
    failures = []
    level = result.at(1.0)
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
