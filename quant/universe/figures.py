"""What each instrument of a universe has contributed, and how much they have in common."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from quant.backtest.account import Account
from quant.bars.bars import Bars, Floats, format_times
from quant.messages.report.curves import InstrumentFigures
from quant.universe.universe import Universe

# Fewer common returns say nothing about a correlation.
FEWEST_COMMON: Final = 20
_FIRST_YEAR: Final = 1970


def describe_instruments(traded: Universe, run: Account) -> list[InstrumentFigures]:
    """Return the figures of each instrument, in their order.

    Args:
        traded: The bars that were traded.
        run: The account that traded them.
    """
    moves = compute_moves(traded.closes)
    market = np.nanmean(np.where(np.isnan(moves).all(axis=1, keepdims=True), 0.0, moves), axis=1)
    years = traded.timestamps.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64)
    return [
        _describe(number, bars, traded, run, moves[:, number], market, _FIRST_YEAR + years)
        for number, bars in enumerate(traded.instruments)
    ]


def compute_moves(closes: Floats) -> Floats:
    """Return simple returns from the last close of each instrument, shape (bars, instruments).

    NaN where an instrument has no bar, and at its first.
    """
    moves = np.full(closes.shape, np.nan)
    for column in range(closes.shape[1]):
        rows = np.flatnonzero(~np.isnan(closes[:, column]))
        known = closes[rows, column]
        moves[rows[1:], column] = known[1:] / known[:-1] - 1.0
    return moves


def correlate(moves: Floats) -> Floats:
    """Return the correlations of returns, shape (instruments, instruments).

    Each pair is compared where both have a return, each less its own mean. NaN with fewer than
    `FEWEST_COMMON` of them, or without variance.
    """
    known = ~np.isnan(moves)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, moves, 0.0).sum(axis=0) / known.sum(axis=0)
        centred = np.where(known, moves - mean, 0.0)
        mask = known.astype(np.float64)
        common = mask.T @ mask
        spread = (centred**2).T @ mask
        found: Floats = (centred.T @ centred) / np.sqrt(spread * spread.T)
    found[common < FEWEST_COMMON] = np.nan
    return np.clip(found, -1.0, 1.0)


def count_independent(traded: Universe) -> float | None:
    """Return the number of uncorrelated instruments that would vary as much together.

    n^2 over the sum of all squared correlations: n if there is no correlation, 1 if all are copies
    of one (the participation ratio of the eigenvalues). Correlations that are not known count as 0.
    What luck would show of uncorrelated returns, 1 / (bars - 1) each, is taken off. None for one
    instrument.
    """
    if traded.is_single:
        return None
    moves = compute_moves(traded.closes)
    correlations = np.nan_to_num(correlate(moves))
    np.fill_diagonal(correlations, 1.0)
    count = len(correlations)
    known = (~np.isnan(moves)).astype(np.float64)
    luck = 1.0 / np.maximum(known.T @ known - 1.0, 1.0)
    squares = np.maximum(correlations**2 - luck, 0.0)
    np.fill_diagonal(squares, 1.0)
    return float(count**2 / squares.sum())


def _describe(
    number: int,
    bars: Bars,
    traded: Universe,
    run: Account,
    moves: Floats,
    market: Floats,
    years: NDArray[np.int64],
) -> InstrumentFigures:
    trades = run.trades
    own = trades.instrument == number
    profit, ended = trades.profit[own], years[trades.exit[own]]
    held = run.positions[traded.places[number], number]
    known = ~np.isnan(moves)
    times = format_times(bars.timestamps[[0, -1]]) if len(bars) else [None, None]
    return InstrumentFigures(
        symbol=bars.symbol,
        bars=len(bars),
        start=times[0],
        end=times[1],
        trades=int(own.sum()),
        profit=float(profit.sum()),
        profit_by_year={int(year): float(profit[ended == year].sum()) for year in np.unique(ended)},
        costs=float(trades.costs[own].sum()),
        turnover=float(
            np.sum(trades.size[own] * (trades.entry_price[own] + trades.exit_price[own]))
        ),
        win_rate=float(np.mean(trades.net_return[own] > 0.0)) if own.any() else None,
        exposure=float(np.mean(held != 0.0)) if len(held) else 0.0,
        mean_weight=float(np.mean(np.abs(held[held != 0.0]))) if np.any(held) else 0.0,
        own_return=float(bars.close[-1] / bars.close[0] - 1.0) if len(bars) else None,
        own_volatility=(
            float(np.std(moves[known], ddof=1) * np.sqrt(bars.periods_per_year))
            if known.sum() > 1
            else None
        ),
        market_correlation=_correlate_two(moves[known], market[known]),
    )


def _correlate_two(one: Floats, other: Floats) -> float | None:
    if len(one) < FEWEST_COMMON or not (np.std(one) > 0.0 and np.std(other) > 0.0):
        return None
    return float(np.corrcoef(one, other)[0, 1])
