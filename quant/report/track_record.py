"""The record of a strategy: the walk-forward on development bars, followed by the holdout."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quant.messages.report.dossier import Dossier

# Rounding leaves a smaller deviation in a constant series; that of real returns is far larger.
_NO_VARIANCE: Final = 1e-12
_MONTH: Final = len("2026-01")


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """One account over walk-forward and holdout, at 1x cost. Lists have one element per bar.

    Attributes:
        timestamps: Times of the bars: ISO 8601, UTC.
        holdout: Index of the first holdout bar; the number of bars if there is none.
        returns: Simple returns from close to close.
        equity: Value at each close, from 1.0.
        benchmark: Value of buy and hold at each close, without cost, from 1.0.
        other_levels: Equity on the holdout by cost level, one element per holdout bar; without 1x.
        window: Look-back of the rolling Sharpe ratio in bars.
        benchmark_name: What the benchmark is, as a part of a sentence.
        rolling_sharpe: Annualised. NaN before the first full window and without variance.
    """

    timestamps: list[str]
    holdout: int
    returns: list[float]
    equity: list[float]
    benchmark: list[float]
    other_levels: dict[str, list[float]]
    window: int
    rolling_sharpe: list[float]
    benchmark_name: str = "buy and hold"

    @classmethod
    def from_dossier(cls, dossier: Dossier) -> "TrackRecord":
        """Join both parts."""
        before, after = dossier.walk_forward, dossier.curves
        timestamps, returns = list(before.timestamps), list(before.returns)
        equity, benchmark = list(before.equity), list(before.benchmark_equity)
        levels = {}
        if after is not None:
            timestamps += after.timestamps
            returns += after.returns
            levels = {
                level: _continue(equity, values)
                for level, values in after.equity.items()
                if level != "1x"
            }
            equity += _continue(equity, after.equity["1x"])
            benchmark += _continue(benchmark, after.benchmark_equity)
        window = max(2, min(round(dossier.periods_per_year), len(returns) // 4))
        year = math.sqrt(dossier.periods_per_year)
        return cls(
            timestamps=timestamps,
            holdout=len(before.timestamps),
            returns=returns,
            equity=equity,
            benchmark=benchmark,
            other_levels=levels,
            benchmark_name=dossier.input.spec.benchmark_name,
            window=window,
            rolling_sharpe=[each * year for each in rolling_sharpe(returns, window)],
        )

    @property
    def drawdown(self) -> list[float]:
        """Loss from the peak so far, as a positive fraction of the peak."""
        peak, fallen = -math.inf, []
        for value in self.equity:
            peak = max(peak, value)
            fallen.append(1.0 - value / peak if peak else math.nan)
        return fallen

    @property
    def monthly(self) -> dict[int, dict[int, float]]:
        """Return of the account by year and month (1 to 12), as a fraction."""
        growth: dict[str, float] = {}
        for timestamp, earned in zip(self.timestamps, self.returns, strict=True):
            month = timestamp[:_MONTH]
            growth[month] = growth.get(month, 1.0) * (1.0 + earned)
        earned_in: dict[int, dict[int, float]] = defaultdict(dict)
        for month, factor in growth.items():
            earned_in[int(month[:4])][int(month[5:])] = factor - 1.0
        return dict(earned_in)

    @property
    def years(self) -> dict[int, float]:
        """Return of the account by year, as a fraction."""
        return {
            year: math.prod(1.0 + earned for earned in months.values()) - 1.0
            for year, months in self.monthly.items()
        }


def rolling_sharpe(returns: Sequence[float], window: int) -> list[float]:
    """Return at each bar the Sharpe ratio per bar of the last `window` returns.

    NaN before the first full window, and where a window has no variance. Mean and squared
    deviations are updated from bar to bar (Welford 1962).
    """
    ratios, mean, squares, same = [], 0.0, 0.0, 0
    for bar, new in enumerate(returns):
        same = same + 1 if bar and new == returns[bar - 1] else 1
        before = mean
        if bar < window:
            mean += (new - mean) / (bar + 1)
            squares += (new - before) * (new - mean)
        else:
            old = returns[bar - window]
            mean += (new - old) / window
            squares += (new - old) * (new - mean + old - before)
        deviation = math.sqrt(max(squares, 0.0) / (window - 1))
        # Rounding leaves something of the squares even where all returns are the same.
        known = bar + 1 >= window and same < window and deviation > _NO_VARIANCE
        ratios.append(mean / deviation if known else math.nan)
    return ratios


def _continue(so_far: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the values of an account that goes on with what it has so far."""
    return [so_far[-1] * each for each in values]
