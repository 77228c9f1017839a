"""Random markets and decisions, as bad as they come, for the account and its oracle."""

from dataclasses import dataclass

import numpy as np

from quant.bars.bars import Floats
from quant.messages.strategy import Costs


@dataclass(frozen=True, eq=False)
class Market:
    """Prices and target weights, shape (bars, instruments)."""

    opens: Floats
    closes: Floats
    weights: Floats
    costs: Costs


def random_market(seed: int, instruments: int) -> Market:
    """Return up to fifty bars: gaps, tiny and huge prices, missing bars, any weights and costs."""
    rng = np.random.default_rng([seed, instruments])
    bars = int(rng.integers(1, 50))
    opens, closes = _prices(rng, bars, instruments)
    missing = rng.random((bars, instruments)) < rng.choice([0.0, 0.1, 0.6], instruments)
    # Something must be traded at all.
    missing[rng.integers(bars), rng.integers(instruments)] = False
    opens[missing] = closes[missing] = np.nan
    costs = Costs(
        commission=rng.choice([0.0, 0.0005, rng.uniform(0.0, 0.05)]),
        slippage=rng.choice([0.0, 0.0005, rng.uniform(0.0, 0.05)]),
    )
    multiple = rng.choice([0.0, 1.0, 2.0])
    return Market(opens, closes, _weights(rng, bars, instruments), costs.times(float(multiple)))


def _prices(rng: np.random.Generator, bars: int, instruments: int) -> tuple[Floats, Floats]:
    # With 0.4 per bar short positions lose everything.
    volatility = rng.choice([0.01, 0.05, 0.4])
    moves = rng.normal(0.0, volatility, (bars, 2, instruments))
    moves += np.where(rng.random(moves.shape) < 0.01, rng.normal(0.0, 2.0, moves.shape), 0.0)
    start = 10.0 ** rng.uniform(-9.0, 9.0, instruments)
    path = start * np.exp(np.cumsum(moves.reshape(2 * bars, instruments), axis=0))
    path = np.clip(path, 1e-9, 1e9).reshape(bars, 2, instruments)
    return path[:, 0].copy(), path[:, 1].copy()


def _weights(rng: np.random.Generator, bars: int, instruments: int) -> Floats:
    """Return one sign or nothing, fractions, or leveraged fractions; held long or for one bar."""
    shape = (bars, instruments)
    drawn: Floats = rng.choice(
        [
            rng.integers(-1, 2, shape) / instruments,
            rng.uniform(-1.0, 1.0, shape) / instruments,
            rng.uniform(0.0, 1.0, shape) / instruments,
            rng.uniform(-2.0, 2.0, shape),
        ]
    )
    lasting = rng.random(shape) < rng.choice([0.0, 0.5, 0.9])
    undecided = rng.random(shape) < rng.choice([0.0, 0.1])
    for bar in range(1, bars):
        drawn[bar] = np.where(lasting[bar], drawn[bar - 1], drawn[bar])
    drawn[undecided] = np.nan
    return drawn
