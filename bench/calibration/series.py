"""Bars of which it is known whether there is anything to find in them.

Noise has no memory of direction, so nothing can be earned by timing it. A planted series has a
drift whose sign follows a rule that every trader can see at the close before; its strength is the
Sharpe ratio that this rule earns after cost, measured by the account on a long series.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap
from arch.data import sp500
from scipy.optimize import brentq

from quant.backtest import metrics
from quant.backtest.simulation import simulate
from quant.bars.bars import TRADING_DAYS_PER_YEAR, Bars, Floats
from quant.messages.strategy import Costs

BARS: Final = 5_000
VOLATILITY: Final = 0.01

# Other periods than those with which a search begins, so that it finds nothing by coincidence.
_MOMENTUM_PERIOD: Final = 30
_REVERSION_PERIOD: Final = 12
_REGIME: Final = 20
_WICK: Final = 0.003
_DEGREES_OF_FREEDOM: Final = 3
_GARCH: Final = (0.08, 0.9)
_BLOCK: Final = 20
_HOLDING_SHARPE: Final = 1.0
# Long enough that the Sharpe ratio of a rule is known to about 0.1.
_LONG: Final = 40_000
_LARGEST_DRIFT: Final = 0.4 * VOLATILITY


def gaussian(rng: np.random.Generator) -> Floats:
    """Return independent normal returns."""
    return rng.normal(0.0, VOLATILITY, BARS)


def fat_tailed(rng: np.random.Generator) -> Floats:
    """Return independent returns with Student's t distribution of three degrees of freedom."""
    scale = math.sqrt(_DEGREES_OF_FREEDOM / (_DEGREES_OF_FREEDOM - 2))
    return rng.standard_t(_DEGREES_OF_FREEDOM, BARS) * VOLATILITY / scale


def clustered(rng: np.random.Generator) -> Floats:
    """Return GARCH(1, 1) returns: calm and wild times, no direction."""
    shock, memory = _GARCH
    constant = VOLATILITY**2 * (1.0 - shock - memory)
    returns = np.empty(BARS)
    variance = VOLATILITY**2
    for bar, draw in enumerate(rng.standard_normal(BARS)):
        returns[bar] = draw * np.sqrt(variance)
        variance = constant + shock * returns[bar] ** 2 + memory * variance
    return returns


def resampled(rng: np.random.Generator) -> Floats:
    """Return blocks of the S&P 500's own returns in random order, without their mean."""
    real = np.diff(np.log(sp500.load()["Close"].to_numpy(dtype=np.float64)))
    [((sample,), _)] = StationaryBootstrap(_BLOCK, real - real.mean(), seed=rng).bootstrap(1)
    drawn: Floats = np.asarray(sample)[:BARS]
    return drawn


def drifting(rng: np.random.Generator) -> Floats:
    """Return normal returns with a positive mean. Holding pays, timing does not."""
    mean = _HOLDING_SHARPE * VOLATILITY / math.sqrt(TRADING_DAYS_PER_YEAR)
    return rng.normal(mean, VOLATILITY, BARS)


NOISE: Final[Mapping[str, Callable[[np.random.Generator], Floats]]] = {
    "Gaussian": gaussian,
    "fat tails": fat_tailed,
    "volatility clustering": clustered,
    "resampled S&P 500": resampled,
    "a rising market": drifting,
}


def momentum(drift: float, rng: np.random.Generator, bars: int) -> tuple[Floats, Floats, Floats]:
    """Drift in the direction of the price from its average over 30 bars."""
    return _around_average(drift, _MOMENTUM_PERIOD, rng, bars)


def reversion(drift: float, rng: np.random.Generator, bars: int) -> tuple[Floats, Floats, Floats]:
    """Drift back to the average over 12 bars."""
    return _around_average(-drift, _REVERSION_PERIOD, rng, bars)


def volume(drift: float, rng: np.random.Generator, bars: int) -> tuple[Floats, Floats, Floats]:
    """Drift up at high volume and down at low volume. Each lasts 20 bars on average."""
    turns = rng.random(bars) < 1.0 / _REGIME
    state = np.where(np.cumsum(turns) % 2, 1.0, -1.0)
    traded = np.exp(0.8 * state + rng.normal(0.0, 0.2, bars))
    returns = rng.normal(0.0, VOLATILITY, bars)
    returns[1:] += drift * state[:-1]
    return returns, traded, state


PLANTED: Final[
    Mapping[str, Callable[[float, np.random.Generator, int], tuple[Floats, Floats, Floats]]]
] = {"momentum": momentum, "reversion": reversion, "volume": volume}


@cache
def drift_for(kind: str, strength: float) -> float:
    """Return the drift per bar with which a rule earns this annual Sharpe ratio after cost."""

    def excess(drift: float) -> float:
        returns, traded, state = PLANTED[kind](drift, np.random.default_rng(0), _LONG)
        bars = to_bars(returns, traded, np.random.default_rng(1))
        run = simulate(bars, state.astype(np.int8), Costs(), 1.0)
        earned = metrics.annualised_sharpe(run.returns, TRADING_DAYS_PER_YEAR)
        return (earned or 0.0) - strength

    return float(brentq(excess, 0.0, _LARGEST_DRIFT, xtol=1e-5))


def noise(kind: str, seed: int) -> pd.DataFrame:
    """Return a table of bars without anything to find."""
    rng = np.random.default_rng(seed)
    return to_table(NOISE[kind](rng), np.exp(rng.normal(0.0, 0.4, BARS)), rng)


def planted(kind: str, strength: float, seed: int) -> pd.DataFrame:
    """Return a table of bars in which a rule earns this annual Sharpe ratio after cost."""
    rng = np.random.default_rng(seed)
    returns, traded, _ = PLANTED[kind](drift_for(kind, strength), rng, BARS)
    return to_table(returns, traded, rng)


def to_table(returns: Floats, traded: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return bars with these logarithmic returns, as a user's file has them."""
    close = 100.0 * np.exp(np.cumsum(returns))
    opened = np.concatenate([[100.0], close[:-1]])
    return pd.DataFrame(
        {
            "timestamp": pd.bdate_range("2000-01-03", periods=len(returns)),
            "open": opened,
            "high": np.maximum(opened, close) * np.exp(_wicks(rng, len(returns))),
            "low": np.minimum(opened, close) * np.exp(-_wicks(rng, len(returns))),
            "close": close,
            "volume": 1e6 * traded,
        }
    )


def to_bars(returns: Floats, traded: Floats, rng: np.random.Generator) -> Bars:
    """Return the same as bars."""
    table = to_table(returns, traded, rng)
    moments = table["timestamp"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    first, high, low, close, volume = (
        table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")
    )
    return Bars("RULE", "1d", moments, first, high, low, close, volume)


def _around_average(
    drift: float, period: int, rng: np.random.Generator, bars: int
) -> tuple[Floats, Floats, Floats]:
    returns = rng.normal(0.0, VOLATILITY, bars)
    logs = np.zeros(bars)
    state = np.zeros(bars)
    for bar in range(1, bars):
        returns[bar] += drift * state[bar - 1]
        logs[bar] = logs[bar - 1] + returns[bar]
        recent = logs[max(0, bar - period + 1) : bar + 1]
        state[bar] = 1.0 if logs[bar] >= recent.mean() else -1.0
    return returns, np.exp(rng.normal(0.0, 0.4, bars)), np.sign(drift) * state


def _wicks(rng: np.random.Generator, bars: int) -> Floats:
    wicks: Floats = np.abs(rng.normal(0.0, _WICK, bars))
    return wicks
