"""Bars and strategies for tests, written as a user would write them."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 600
# Enough that every step of a research on them takes long enough to be cancelled.
MANY_ROWS = 120_000
MANY = "MANY"
MANY_TIMEFRAME = "1m"

FLAT = "FLAT"
"""Good bars from which nothing can be learned: a research on them fails in its first step."""
# Enough for every strategy, so that nothing is refused at the start.
FLAT_ROWS = 2_000
FAILURE_OF_FLAT = "The price never changes"

_HEADER = "timestamp,open,high,low,close,volume"

_STRATEGY = """\
name: {name}
features:
  - {{kind: return, period: 5}}
  - {{kind: rsi, period: 14}}
horizon: 60
model: {{num_iterations: {iterations}, num_leaves: 4, min_data_in_leaf: 100}}
threshold: {threshold}
"""

STRATEGIES = {
    "quick": {"iterations": 20, "threshold": 0.0},
    "steady": {"iterations": 2000, "threshold": 0.0},
    "slow": {"iterations": 20_000, "threshold": 0.0},
    "never-trades": {"iterations": 20, "threshold": 0.49},
}


def write_strategies(directory: Path) -> None:
    """Write all strategies."""
    for name, values in STRATEGIES.items():
        (directory / f"{name}.yaml").write_text(_STRATEGY.format(name=name, **values))


def write_bars(directory: Path) -> None:
    """Write good bars and, for every rule, bars that break it."""
    walk(ROWS, "1D").to_csv(directory / "GOOD.csv", index=False)
    write_flat_bars(directory)
    for symbol, rows in broken_rows().items():
        (directory / f"{symbol}.csv").write_text("\n".join(rows) + "\n")


def write_flat_bars(directory: Path) -> None:
    """Write bars whose price never changes."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    walk(FLAT_ROWS, "1D").assign(**prices).to_csv(directory / f"{FLAT}.csv", index=False)


def write_many_bars(directory: Path) -> None:
    """Write so many bars that each step takes a while."""
    walk(MANY_ROWS, "1min").to_csv(directory / f"{MANY}_{MANY_TIMEFRAME}.csv", index=False)


def walk(rows: int, step: str, seed: int = 1) -> pd.DataFrame:
    """Return the bars of a random walk."""
    moves = np.random.default_rng(seed).normal(0.0, 0.002, rows)
    close = 100.0 * np.exp(np.cumsum(moves))
    opened = np.concatenate([[100.0], close[:-1]])
    return pd.DataFrame(
        {
            "timestamp": pd.date_range("2001-01-01", periods=rows, freq=step),
            "open": opened,
            "high": np.maximum(opened, close) * 1.001,
            "low": np.minimum(opened, close) * 0.999,
            "close": close,
            "volume": 1000.0,
        }
    )


@cache
def broken_rows() -> dict[str, list[str]]:
    """Return, by symbol, the lines of a file that must be refused."""
    good = walk(ROWS, "1D").to_csv(index=False).splitlines()

    def changed(row: int, column: int, value: str) -> list[str]:
        cells = good[row].split(",")
        cells[column] = value
        return [*good[:row], ",".join(cells), *good[row + 1 :]]

    return {
        "NOCLOSE": [",".join(line.split(",")[:4]) for line in good],
        "UNSORTED": [good[0], good[2], good[1], *good[3:]],
        "DUPLICATE": [*good[:3], good[2], *good[3:]],
        "NAN": changed(7, 4, "nan"),
        "TEXT": changed(7, 1, "expensive"),
        "HIGHBELOWLOW": changed(7, 2, "0.01"),
        "SHORT": good[:100],
        "EMPTY": [_HEADER],
    }
