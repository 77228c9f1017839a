"""Bars of several instruments, with whatever they have in common."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from quant.bars.bars import Bars, Floats

ROWS = 900
DAY = 86_400 * 10**9
START = 7_300 * DAY


def make_closes(
    rows: int, instruments: int, seed: int, *, common: float = 0.0, planted: float = 0.0
) -> Floats:
    """Return prices, shape (rows, instruments).

    Args:
        rows: Number of bars.
        instruments: Number of instruments.
        seed: Seed of the walk.
        common: Correlation of any two of them.
        planted: How much of a return comes again at the next bar, negated: a rule to find.
    """
    random = np.random.default_rng(seed)
    shared = random.normal(size=(rows, 1))
    own = random.normal(size=(rows, instruments))
    moves = 0.01 * (np.sqrt(common) * shared + np.sqrt(1.0 - common) * own)
    for row in range(1, rows):
        moves[row] -= planted * moves[row - 1]
    closes: Floats = 100.0 * np.exp(np.cumsum(moves, axis=0))
    return closes


def make_bars(
    symbol: str, closes: Floats, *, first: int = 0, holes: Sequence[int] = (), timeframe: str = "1d"
) -> Bars:
    """Return bars of every day from day `first` on, less some days.

    Args:
        symbol: The symbol.
        closes: Last prices, shape (bars,).
        first: Day of the first bar.
        holes: Indices of bars to leave out.
        timeframe: Length of a bar.
    """
    kept = np.setdiff1d(np.arange(len(closes)), np.asarray(holes, np.int64))
    opens = np.concatenate([closes[:1], closes[:-1]]) * 1.0005
    return Bars(
        symbol,
        timeframe,
        START + (first + kept) * DAY,
        opens[kept],
        np.maximum(opens, closes)[kept],
        np.minimum(opens, closes)[kept],
        closes[kept],
        np.full(len(kept), 1000.0),
    )


def write_bars(directory: Path, bars: Bars) -> None:
    """Write bars as a file of the user."""
    pd.DataFrame(
        {
            "timestamp": pd.to_datetime(bars.timestamps),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
        }
    ).to_csv(directory / f"{bars.symbol}.csv", index=False)


def write_universe(
    directory: Path, symbols: Sequence[str], *, rows: int = ROWS, seed: int = 1, common: float = 0.5
) -> None:
    """Write the bars of several instruments: the second begins late, the third has holes."""
    closes = make_closes(rows, len(symbols), seed, common=common)
    for number, symbol in enumerate(symbols):
        first = 200 if number == 1 else 0
        holes = range(50, rows - first, 97) if number == 2 else ()
        write_bars(directory, make_bars(symbol, closes[first:, number], first=first, holes=holes))
