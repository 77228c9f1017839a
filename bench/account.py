"""How long the account takes to follow the decisions of a candidate."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from bench.figures import Figure, publish
from quant.backtest.account import Account, follow_targets
from quant.bars.bars import Floats
from quant.messages.strategy import Costs

TARGETS: Final = {5_000: 0.5, 500_000: 30.0}
# Bars from one decision to the next, on average.
LASTING: Final = (5, 20)
INSTRUMENTS: Final = 10
SECONDS: Final = 3.0


def make_market(bars: int, instruments: int) -> tuple[Floats, Floats]:
    """Return opens and closes of random walks, shape (bars, instruments)."""
    rng = np.random.default_rng(1)
    # Prices stay in the same range, whatever the number of bars.
    moves = rng.normal(0.0, 1.0 / np.sqrt(bars), (2 * bars, instruments))
    path = 100.0 * np.exp(np.cumsum(moves, axis=0)).reshape(bars, 2, instruments)
    return path[:, 0].copy(), path[:, 1].copy()


def draw_decisions(bars: int, instruments: int, lasting: int, weights: list[float]) -> Floats:
    """Return random targets that change every few bars, shape (bars, instruments)."""
    rng = np.random.default_rng(2)
    changes = rng.random((bars, instruments)) < 1.0 / lasting
    number = np.cumsum(changes, axis=0, dtype=np.int64)
    drawn = rng.choice(weights, (int(number.max()) + 1, instruments))
    return np.take_along_axis(drawn, number, axis=0)


def time_fastest(compute: Callable[[], Account]) -> float:
    """Return the milliseconds of the fastest of many calls. Slower ones were disturbed."""
    taken: list[float] = []
    until = time.perf_counter() + SECONDS
    while not taken or time.perf_counter() < until:
        began = time.perf_counter()
        compute()
        taken.append(time.perf_counter() - began)
    return min(taken) * 1e3


def measure(name: str, bars: int, instruments: int, targets: Floats, limit: float | None) -> Figure:
    """Measure one case. The name of the figure says how many trades it has."""
    opens, closes = make_market(bars, instruments)
    trades = len(follow_targets(opens, closes, targets, Costs()).trades)
    took = time_fastest(lambda: follow_targets(opens, closes, targets, Costs()))
    return Figure(f"{bars:,} bars, {name}: {trades:,} trades", "ms", took, limit)


def main() -> None:
    """Measure and publish."""
    figures = [
        measure(
            f"long, short or flat for {lasting} bars on average",
            bars,
            1,
            draw_decisions(bars, 1, lasting, [-1.0, 0.0, 1.0]),
            limit,
        )
        for bars, limit in TARGETS.items()
        for lasting in LASTING
    ]
    shares = [0.0, 0.5 / INSTRUMENTS, 1.0 / INSTRUMENTS]
    figures += [
        measure(
            f"{INSTRUMENTS} instruments rebalanced every {lasting} bars",
            min(TARGETS),
            INSTRUMENTS,
            draw_decisions(min(TARGETS), INSTRUMENTS, lasting, shares),
            None,
        )
        for lasting in LASTING
    ]
    publish("account", figures)


if __name__ == "__main__":
    main()
