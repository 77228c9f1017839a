"""Returns without anything to find: no rule earns anything in them but by holding.

Each function returns logarithmic returns, shape (bars,). The first kinds were there when the
verdict was first calibrated; the others are what reviewers attacked it with.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from arch.bootstrap import StationaryBootstrap
from arch.data import sp500

from quant.bars.bars import TRADING_DAYS_PER_YEAR, Floats

BARS: Final = 5_000
VOLATILITY: Final = 0.01

_DEGREES_OF_FREEDOM: Final = 3
_GARCH: Final = (0.08, 0.9)
# Bad news moves the variance more than good news (Glosten, Jagannathan and Runkle 1993).
_LEVERAGE: Final = (0.02, 0.10, 0.9)
_LEVERAGE_SHARPE: Final = 0.5
_LEVERAGE_TAILS: Final = 6
_BLOCK: Final = 20
_REGIME: Final = 120
_CALM, _WILD = 0.6, 1.7

Generator = np.random.Generator


def gaussian(rng: Generator) -> Floats:
    """Return independent normal returns."""
    return rng.normal(0.0, VOLATILITY, BARS)


def fat_tailed(rng: Generator) -> Floats:
    """Return independent returns with Student's t distribution of three degrees of freedom."""
    return _draw_t(rng, _DEGREES_OF_FREEDOM) * VOLATILITY


def clustered(rng: Generator) -> Floats:
    """Return GARCH(1, 1) returns: calm and wild times, no direction."""
    shock, memory = _GARCH
    return _follow_garch(rng.standard_normal(BARS), shock, 0.0, memory)


def leveraged(rng: Generator, sharpe: float = _LEVERAGE_SHARPE) -> Floats:
    """Return GJR-GARCH returns with fat tails and a constant drift."""
    shock, leverage, memory = _LEVERAGE
    moves = _follow_garch(_draw_t(rng, _LEVERAGE_TAILS), shock, leverage, memory)
    return moves + _drift_for_holding(sharpe)


def switching(rng: Generator) -> Floats:
    """Return regimes: calm and wild times of 120 bars on average, no direction in either."""
    turns = rng.random(BARS) < 1.0 / _REGIME
    scale = np.where(np.cumsum(turns) % 2, _WILD, _CALM)
    return rng.normal(0.0, VOLATILITY, BARS) * scale


def resampled(rng: Generator) -> Floats:
    """Return blocks of the S&P 500's own returns in random order, without their mean."""
    real = np.diff(np.log(sp500.load()["Close"].to_numpy(dtype=np.float64)))
    [((sample,), _)] = StationaryBootstrap(_BLOCK, real - real.mean(), seed=rng).bootstrap(1)
    drawn: Floats = np.asarray(sample)[:BARS]
    return drawn


def drifting(rng: Generator, sharpe: float = 1.0) -> Floats:
    """Return normal returns with a positive mean. Holding pays, timing does not."""
    return rng.normal(_drift_for_holding(sharpe), VOLATILITY, BARS)


NOISE: Final[Mapping[str, Callable[[Generator], Floats]]] = {
    "Gaussian": gaussian,
    "fat tails": fat_tailed,
    "volatility clustering": clustered,
    "resampled S&P 500": resampled,
    "GARCH with leverage and drift": leveraged,
    "regimes": switching,
    # The prices of these two are changed after the returns are drawn; `series` says how.
    "bounce": gaussian,
    "smoothed closes": gaussian,
}

RISING: Final[Mapping[str, Callable[[Generator], Floats]]] = {
    "rising, Sharpe 1": drifting,
    "rising, Sharpe 1.5": lambda rng: drifting(rng, 1.5),
    "rising, Sharpe 2": lambda rng: drifting(rng, 2.0),
    "rising GARCH with leverage, Sharpe 1": lambda rng: leveraged(rng, 1.0),
}


def _drift_for_holding(sharpe: float) -> float:
    return sharpe * VOLATILITY / math.sqrt(TRADING_DAYS_PER_YEAR)


def _draw_t(rng: Generator, degrees: int) -> Floats:
    """Return draws of Student's t distribution with a variance of 1, shape (bars,)."""
    drawn: Floats = rng.standard_t(degrees, BARS) / math.sqrt(degrees / (degrees - 2))
    return drawn


def _follow_garch(draws: Floats, shock: float, leverage: float, memory: float) -> Floats:
    constant = VOLATILITY**2 * (1.0 - shock - leverage / 2.0 - memory)
    returns = np.empty(len(draws))
    variance = VOLATILITY**2
    for bar, draw in enumerate(draws):
        moved = draw * math.sqrt(variance)
        returns[bar] = moved
        weight = shock + (leverage if moved < 0.0 else 0.0)
        variance = constant + weight * moved**2 + memory * variance
    return returns
