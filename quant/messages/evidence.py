"""The evidence for and against a strategy: the figures behind its verdict.

All Sharpe ratios here are annualised.
"""

from statistics import median
from typing import Literal

from pydantic import Field

from quant.messages.base import FrozenModel

Comparison = Literal["at_least", "at_most", "above"]
Unit = Literal["probability", "count", "fraction"]


class CostLevel(FrozenModel):
    """Performance on the holdout at one multiple of the assumed costs."""

    cost_multiple: float
    total_return: float = Field(description="Fraction of the initial capital")
    annual_return: float | None = Field(
        description="Compound growth per year; null if not meaningful, because the holdout is so "
        "short that a year of such growth would multiply the capital by more than 1,000"
    )
    annual_volatility: float
    sharpe: float | None = Field(description="Annualised; null without any variance")
    max_drawdown: float = Field(description="Positive fraction of the peak")
    trades: int
    win_rate: float | None
    exposure: float = Field(description="Fraction of bars with a position")
    turnover: float = Field(description="Traded notional over capital, per year")


class Benchmark(FrozenModel):
    """Buy and hold over the same bars, without cost: of the instruments, or of another symbol."""

    total_return: float
    sharpe: float | None
    max_drawdown: float
    content_hash: str | None = Field(
        None, description="SHA-256 of the bars of another symbol; null for the instruments"
    )


class Statistics(FrozenModel):
    """Whether it could be luck. All returns are after 1x cost.

    Each research looks at the *holdout* once, so luck there grows with the number of looks. The
    *record* is the walk-forward on development bars, followed by the holdout. The search chose the
    strategy by the walk-forward, so luck in the record grows with the number of candidates.
    """

    sharpe: float = Field(description="Sharpe ratio of the holdout")
    sharpe_low: float = Field(description="Lower end of the 95 % bootstrap interval of `sharpe`")
    sharpe_high: float
    p_value: float = Field(description="SPA test against not trading, adjusted for the looks")
    probabilistic_sharpe: float = Field(description="P(true Sharpe > 0), by the holdout")
    confirmed_sharpe: float = Field(
        description="P(true Sharpe > expected best of `holdout_looks` by chance), by the holdout"
    )
    deflated_sharpe: float = Field(
        description="P(true Sharpe > expected best of `trials_ever` by chance), by the record; a "
        "figure that people know, no condition of the verdict"
    )
    record_p_value: float | None = Field(
        None,
        description="P(the best of `trials_ever` worthless candidates has such a record). Null in "
        "results of earlier versions, as in all figures of alpha",
    )
    alpha: float | None = Field(
        None, description="Annual return of the record that buy and hold does not explain"
    )
    beta: float | None = Field(None, description="Share of buy and hold in the record")
    alpha_t_value: float | None = Field(None, description="Of the record, by HAC standard errors")
    alpha_p_value: float | None = Field(
        None, description="P(the best of `trials_ever` without skill has such an alpha)"
    )
    holdout_alpha: float | None = Field(None, description="Of the holdout, annual")
    holdout_alpha_p_value: float | None = Field(None, description="Adjusted for the looks")
    expected_best_sharpe: float = Field(description="Expected best of `trials_ever` by chance")
    record_sharpe: float = Field(description="Sharpe ratio of the record")
    record_bars: int
    record_skewness: float = Field(0.0, description="Of its returns")
    record_kurtosis: float = Field(3.0, description="Of its returns; 3 for normal ones")
    variance_ratio: float = Field(
        1.0,
        description="Long-run variance of its returns over that of independent ones: by how much "
        "autocorrelation widens the error of its Sharpe ratio",
    )
    periods_per_year: float | None = Field(None, description="By which ratios are annualised")
    trials_ever: int
    holdout_looks: int
    timing_p_value: float = Field(
        description="p-value against the same positions at random times, adjusted for the looks"
    )
    minimum_track_record: float | None = Field(description="Bars needed to show Sharpe > 0")


class RandomEntries(FrozenModel):
    """What the same positions would have earned at other times, after 1x cost."""

    paths: int = Field(description="Circular shifts: all but those within the look-back")
    as_good: float = Field(description="Fraction of them that did at least as well")
    median_sharpe: float
    high_sharpe: float = Field(description="95th percentile of their Sharpe ratios")
    p_value: float = Field(
        description="P(one of them does at least as well), by a normal distribution with the mean "
        "and standard deviation of their Sharpe ratios; unlike `as_good`, it can be below 1 / "
        "`paths`"
    )


class Criterion(FrozenModel):
    """One condition of the verdict `promising`: a figure and its limit."""

    name: str = Field(description="Name of the figure, as in `statistics` where it is one of them")
    title: str = Field(description="The condition in words")
    value: float
    limit: float
    comparison: Comparison = Field(description="How the value must compare with the limit")
    unit: Unit
    passed: bool
    shortfall: str | None = Field(None, description="What is missing; null if it is met")


class Neighbour(FrozenModel):
    """A strategy that differs in one parameter."""

    change: str
    sharpe: float | None = Field(
        description="Sharpe ratio in walk-forward; null if it hardly traded"
    )


class Stability(FrozenModel):
    """How similar strategies do in the walk-forward of a search."""

    sharpe: float | None = Field(description="Sharpe ratio of the strategy itself")
    neighbours: tuple[Neighbour, ...]

    @property
    def median_sharpe(self) -> float:
        """Median Sharpe ratio of the neighbours. One that hardly trades counts as 0."""
        return median(neighbour.sharpe or 0.0 for neighbour in self.neighbours)

    @property
    def is_a_peak(self) -> bool:
        """Whether the median neighbour has less than half of the strategy's Sharpe ratio."""
        return (self.sharpe or 0.0) > 0.0 and self.median_sharpe < (self.sharpe or 0.0) / 2.0
