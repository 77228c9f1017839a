"""The usual figures of a tear sheet, over the whole record and beside those of the benchmark."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from quant.backtest import metrics
from quant.backtest.metrics import to_returns
from quant.bars.bars import Floats
from quant.messages.report.curves import TradeRecord
from quant.messages.report.dossier import Dossier
from quant.messages.report.tear_sheet import Drawdown, TearSheet, TearSheetLine, TradeFigures
from quant.report.track_record import TrackRecord
from quant.verdict.alpha import measure_alpha

_SHOWN: Final = 5


def make_tear_sheet(dossier: Dossier) -> TearSheet:
    """Return the figures of a research."""
    record = TrackRecord.from_dossier(dossier)
    return TearSheet(
        lines=list_lines(record, dossier.periods_per_year),
        drawdowns=list_drawdowns(record),
        trades=measure_trades(dossier.curves.trades) if dossier.curves else None,
    )


def list_lines(record: TrackRecord, periods_per_year: float) -> list[TearSheetLine]:
    """Return the figures of the account and of its benchmark."""
    equity, benchmark = np.array(record.equity), np.array(record.benchmark)
    own, other = np.array(record.returns), to_returns(benchmark)
    other[record.holdout : record.holdout + 1] = 0.0
    alpha = measure_alpha(own, other)
    year = periods_per_year

    def compare(
        term: str, figure: tuple[float | None, float | None], *, percent: bool
    ) -> TearSheetLine:
        record, benchmark = figure
        return TearSheetLine(term=term, record=record, benchmark=benchmark, percent=percent)

    growth = _annual(equity, year), _annual(benchmark, year)
    losses = metrics.max_drawdown(equity), metrics.max_drawdown(benchmark)
    return [
        compare("annual_return", growth, percent=True),
        compare(
            "volatility",
            (metrics.annual_volatility(own, year), metrics.annual_volatility(other, year)),
            percent=True,
        ),
        compare("drawdown", losses, percent=True),
        compare(
            "sharpe",
            (metrics.annualised_sharpe(own, year), metrics.annualised_sharpe(other, year)),
            percent=False,
        ),
        compare("sortino", (sortino(own, year), sortino(other, year)), percent=False),
        compare(
            "calmar",
            (_divide(growth[0], losses[0]), _divide(growth[1], losses[1])),
            percent=False,
        ),
        compare("worst_bar", (float(own.min()), float(other.min())), percent=True),
        compare(
            "worst_month",
            (_worst_month(record, own), _worst_month(record, other)),
            percent=True,
        ),
        TearSheetLine(
            term="record_alpha", record=alpha.per_bar * year, benchmark=None, percent=True
        ),
        compare("record_beta", (alpha.beta, None), percent=False),
        TearSheetLine(
            term="correlation", record=_correlate(own, other), benchmark=None, percent=False
        ),
    ]


def sortino(returns: Floats, periods_per_year: float) -> float | None:
    """Return the mean over the downside deviation from 0, annualised (Sortino and Price 1994).

    None without any loss.
    """
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) else 0.0
    return float(np.mean(returns)) / downside * math.sqrt(periods_per_year) if downside else None


def list_drawdowns(record: TrackRecord) -> list[Drawdown]:
    """Return the five deepest drawdowns of the account, the deepest first."""
    equity = np.concatenate([[1.0], record.equity])
    loss = metrics.drawdown(equity)
    below = np.diff((loss > 0.0).astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(below == 1), np.flatnonzero(below == -1)
    lows = [
        int(start + np.argmax(loss[start:end])) for start, end in zip(starts, ends, strict=True)
    ]
    deepest = sorted(range(len(lows)), key=lambda each: -loss[lows[each]])[:_SHOWN]
    # The first value is that before the first bar.
    times = record.timestamps
    return [
        Drawdown(
            peak=times[max(int(starts[each]) - 2, 0)],
            low=times[lows[each] - 1],
            recovered=times[int(ends[each]) - 1] if ends[each] < len(equity) else None,
            depth=float(loss[lows[each]]),
            bars=int(ends[each] - starts[each] + 1),
        )
        for each in deepest
    ]


def measure_trades(trades: Sequence[TradeRecord]) -> TradeFigures | None:
    """Return the figures of trades; None if there are none."""
    if not trades:
        return None
    earned = np.array([each.net_return for each in trades])
    profit = np.array([each.profit for each in trades])
    entry, exit_ = (
        np.array([time.removesuffix("Z") for time in times], "datetime64[s]").astype(np.int64)
        for times in ([t.entry_time for t in trades], [t.exit_time for t in trades])
    )
    days = (exit_ - entry) / 86_400
    lost = -float(profit[profit < 0.0].sum())
    return TradeFigures(
        profit_factor=float(profit[profit > 0.0].sum()) / lost if lost > 0.0 else None,
        average_win=float(earned[earned > 0.0].mean()) if (earned > 0.0).any() else None,
        average_loss=float(earned[earned <= 0.0].mean()) if (earned <= 0.0).any() else None,
        median_days=float(np.median(days)),
        longest_days=float(days.max()),
    )


def _annual(equity: Floats, periods_per_year: float) -> float | None:
    return metrics.annual_return(np.concatenate([[1.0], equity]), periods_per_year)


def _worst_month(record: TrackRecord, returns: Floats) -> float:
    months = [time[: len("2026-01")] for time in record.timestamps]
    starts = [0, *(at for at in range(1, len(months)) if months[at] != months[at - 1])]
    growth = np.multiply.reduceat(1.0 + returns, starts)
    return float(growth.min() - 1.0)


def _correlate(one: Floats, other: Floats) -> float | None:
    varies = np.std(one) > metrics.NO_VARIANCE and np.std(other) > metrics.NO_VARIANCE
    return float(np.corrcoef(one, other)[0, 1]) if varies else None


def _divide(growth: float | None, loss: float) -> float | None:
    return None if growth is None or loss <= 0.0 else growth / loss
