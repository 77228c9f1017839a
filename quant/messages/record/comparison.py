"""Researches side by side: their curves, parameters, and how much their returns have in common."""

from typing import Final

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.evidence import CostLevel, Statistics
from quant.messages.record.hypotheses import Verdict

MOST_COMPARED: Final = 8
POINTS_DRAWN: Final = 400
"""More points of a curve than these cannot be told apart on a screen."""
FEWEST_COMMON_DAYS: Final = 30
"""Fewer days in common say nothing about a correlation."""


class DrawnCurve(FrozenModel):
    """Value of an account at 1x cost, after its first bar, thinned for drawing."""

    timestamps: list[str]
    equity: list[float] = Field(description="From 1.0 before the first bar")
    benchmark_equity: list[float] = Field(description="Buy and hold without cost")


class ComparedResearch(FrozenModel):
    """One research of a comparison."""

    operation_id: str
    strategy: str
    symbol: str
    timeframe: str
    verdict: Verdict
    trials_ever: int
    statistics: Statistics | None = Field(
        description="Null if a gate stopped it before it was judged"
    )
    holdout: CostLevel | None = Field(description="Figures on the holdout at 1x cost")
    walk_forward_curve: DrawnCurve = Field(description="The development bars")
    holdout_curve: DrawnCurve | None


class ComparedParameter(FrozenModel):
    """A parameter in every research, in their order. Null where it has none."""

    name: str
    values: list[str | int | float | None]
    differs: bool


class Comparison(FrozenModel):
    """Researches side by side, in the order of the request."""

    researches: list[ComparedResearch]
    parameters: list[ComparedParameter]
    correlations: list[list[float | None]] = Field(
        description="Of the daily returns over walk-forward and holdout, at 1x cost, for each "
        f"pair; null with fewer than {FEWEST_COMMON_DAYS} days in common, or without variance"
    )
    common_days: list[list[int]] = Field(description="Days that a pair has in common")
