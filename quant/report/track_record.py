"""The record of a strategy: the walk-forward on development bars, followed by the holdout."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quant.backtest import metrics
from quant.bars.bars import Floats
from quant.messages.dossier import Dossier


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """One account over walk-forward and holdout, at 1x cost. Arrays have shape (bars,).

    Attributes:
        times: Times of the bars.
        holdout: Index of the first holdout bar; the number of bars if there is none.
        returns: Simple returns from close to close.
        equity: Value at each close, from 1.0.
        benchmark: Value of buy and hold at each close, without cost, from 1.0.
        other_levels: Equity on the holdout by cost level, shape (holdout bars,) each; without 1x.
        window: Look-back of the rolling Sharpe ratio in bars.
        rolling_sharpe: Annualised. NaN before the first full window and without variance.
    """

    times: NDArray[np.datetime64]
    holdout: int
    returns: Floats
    equity: Floats
    benchmark: Floats
    other_levels: dict[str, Floats]
    window: int
    rolling_sharpe: Floats

    @classmethod
    def from_dossier(cls, dossier: Dossier) -> "TrackRecord":
        """Join both parts."""
        before, after = dossier.walk_forward, dossier.curves
        times, holdout = list(before.timestamps), len(before.timestamps)
        returns = np.array(before.returns)
        equity, benchmark = np.array(before.equity), np.array(before.benchmark_equity)
        levels = {}
        if after is not None:
            times += after.timestamps
            returns = np.concatenate([returns, after.returns])
            levels = {
                level: equity[-1] * np.array(values)
                for level, values in after.equity.items()
                if level != "1x"
            }
            equity = np.concatenate([equity, equity[-1] * np.array(after.equity["1x"])])
            benchmark = np.concatenate(
                [benchmark, benchmark[-1] * np.array(after.benchmark_equity)]
            )
        window = max(2, min(round(dossier.periods_per_year), len(returns) // 4))
        return cls(
            times=np.array([time.removesuffix("Z") for time in times], "datetime64[s]"),
            holdout=holdout,
            returns=returns,
            equity=equity,
            benchmark=benchmark,
            other_levels=levels,
            window=window,
            rolling_sharpe=metrics.rolling_sharpe(returns, window)
            * np.sqrt(dossier.periods_per_year),
        )

    @property
    def drawdown(self) -> Floats:
        """Loss from the peak so far, shape (bars,), as a positive fraction of the peak."""
        return metrics.drawdown(self.equity)

    @property
    def monthly(self) -> dict[int, dict[int, float]]:
        """Return of the account by year and month (1 to 12), as a fraction."""
        months = self.times.astype("datetime64[M]").astype(np.int64)
        starts = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist(), len(months)]
        earned: dict[int, dict[int, float]] = defaultdict(dict)
        for start, stop in pairwise(starts):
            year, month = divmod(int(months[start]), 12)
            earned[1970 + year][month + 1] = float(np.prod(1.0 + self.returns[start:stop]) - 1.0)
        return dict(earned)
