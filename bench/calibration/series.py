"""Tables of bars of which it is known whether there is anything to find in them.

The strength of a planted rule is the Sharpe ratio that the rule itself earns after cost, measured
by the account on a long series.
"""

from functools import cache
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from bench.calibration.noise import BARS, NOISE, RISING, VOLATILITY
from bench.calibration.planted import plant
from quant.backtest import metrics
from quant.backtest.simulation import simulate
from quant.bars.bars import TRADING_DAYS_PER_YEAR, Bars, Floats
from quant.messages.data import count_development_bars
from quant.messages.strategy import Costs

Fate = Literal["lives", "dies", "flips"]
"""What becomes of a planted rule where the holdout begins."""

_WICK: Final = 0.003
_HALF_SPREAD: Final = 0.0015
_SMOOTHING: Final = 0.5
# Long enough that the Sharpe ratio of a rule is known to about 0.1.
_LONG: Final = 40_000
_LARGE_DRIFT: Final = 0.3 * VOLATILITY
AFTERWARDS: Final[dict[Fate, float]] = {"lives": 1.0, "dies": 0.0, "flips": -1.0}


@cache
def drift_for(kind: str, strength: float) -> float:
    """Return the drift per bar with which a rule earns this annual Sharpe ratio after cost."""

    def excess(drift: float) -> float:
        returns, traded, state = plant(kind, np.full(_LONG, drift), np.random.default_rng(0))
        bars = to_bars(to_table(returns, traded, np.random.default_rng(1)))
        run = simulate(bars, state.astype(np.int8), Costs(), 1.0)
        earned = metrics.annualised_sharpe(run.returns, TRADING_DAYS_PER_YEAR)
        return (earned or 0.0) - strength

    most = _LARGE_DRIFT
    while excess(most) < 0.0:
        most *= 1.5
    return float(brentq(excess, 0.0, most, xtol=1e-5))


def noise(kind: str, seed: int) -> pd.DataFrame:
    """Return a table of bars without anything to find.

    Prices that bounce between bid and ask, and closes that are smoothed, look predictable. But
    every fill is at an open, whose error is new.
    """
    rng = np.random.default_rng(seed)
    returns = {**NOISE, **RISING}[kind](rng)
    table = to_table(returns, np.exp(rng.normal(0.0, 0.4, BARS)), rng)
    if kind == "bounce":
        for name in ("open", "close"):
            table[name] *= 1.0 + rng.choice([-_HALF_SPREAD, _HALF_SPREAD], BARS)
    elif kind == "smoothed closes":
        table["close"] = table["close"].ewm(alpha=_SMOOTHING, adjust=False).mean()
    prices = table[["open", "high", "low", "close"]]
    return table.assign(high=prices.max(axis=1), low=prices.min(axis=1))


def planted(kind: str, strength: float, seed: int, fate: Fate = "lives") -> pd.DataFrame:
    """Return a table of bars in which a rule earns this annual Sharpe ratio after cost."""
    return planted_with_states(kind, strength, seed, fate)[0]


def planted_with_states(
    kind: str, strength: float, seed: int, fate: Fate = "lives"
) -> tuple[pd.DataFrame, Floats]:
    """Return the same table, and the state of the rule after each bar, shape (bars,)."""
    rng = np.random.default_rng(seed)
    drifts = np.full(BARS, drift_for(kind, strength))
    drifts[count_development_bars(BARS) :] *= AFTERWARDS[fate]
    returns, traded, states = plant(kind, drifts, rng)
    return to_table(returns, traded, rng), states


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


def to_bars(table: pd.DataFrame) -> Bars:
    """Return the same as bars."""
    moments = table["timestamp"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    first, high, low, close, volume = (
        table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")
    )
    return Bars("RULE", "1d", moments, first, high, low, close, volume)


def _wicks(rng: np.random.Generator, bars: int) -> Floats:
    wicks: Floats = np.abs(rng.normal(0.0, _WICK, bars))
    return wicks
