"""Returns with a rule in them that every trader can see at the close before.

A rule names a state for the next bar: 1 for a rise, -1 for a fall, 0 for neither. The planted
drift follows the state. Periods differ from those with which a search begins, so that it finds
nothing by coincidence. The first three rules are of the kind that a search tries first; the others
are not.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from bench.calibration.noise import VOLATILITY
from quant.bars.bars import Floats

_MOMENTUM_PERIOD: Final = 30
_REVERSION_PERIOD: Final = 12
_REGIME: Final = 20
_THRESHOLD: Final = 0.04
_FAST, _SLOW = 15, 60
_VOLATILITY_PERIOD: Final = 25
_FALLS: Final = 3

Rule = Callable[[], Callable[[float, float], float]]
"""Makes a function of the last return and the log of the close that returns the next state."""


class _Mean:
    """The mean of the last `period` values, or of all if there are fewer."""

    def __init__(self, period: int) -> None:
        self._values: deque[float] = deque(maxlen=period)
        self._sum = 0.0

    def add(self, value: float) -> float:
        if len(self._values) == self._values.maxlen:
            self._sum -= self._values[0]
        self._values.append(value)
        self._sum += value
        return self._sum / len(self._values)


def above_average(period: int, sign: float) -> Rule:
    """With the side of its average on which the price is, or against it."""

    def make() -> Callable[[float, float], float]:
        mean = _Mean(period)
        return lambda _, log: sign * (1.0 if log >= mean.add(log) else -1.0)

    return make


def threshold_momentum() -> Callable[[float, float], float]:
    """With a move over 30 bars, if it is larger than 4 %."""
    logs: deque[float] = deque(maxlen=_MOMENTUM_PERIOD + 1)

    def step(_: float, log: float) -> float:
        logs.append(log)
        moved = log - logs[0]
        return math.copysign(1.0, moved) if abs(moved) > _THRESHOLD else 0.0

    return step


def crossing_averages() -> Callable[[float, float], float]:
    """With the side of the average over 60 bars on which the average over 15 is."""
    fast, slow = _Mean(_FAST), _Mean(_SLOW)
    return lambda _, log: 1.0 if fast.add(log) >= slow.add(log) else -1.0


def timed_by_volatility() -> Callable[[float, float], float]:
    """Up while the last 25 bars are calmer than usual, down while they are wilder."""
    mean = _Mean(_VOLATILITY_PERIOD)
    return lambda moved, _: 1.0 if mean.add(moved**2) <= VOLATILITY**2 else -1.0


def after_three_falls() -> Callable[[float, float], float]:
    """Up for three bars after three falls in a row."""
    falls, left = 0, 0

    def step(moved: float, _: float) -> float:
        nonlocal falls, left
        falls = falls + 1 if moved < 0.0 else 0
        left = _FALLS if falls >= _FALLS else max(left - 1, 0)
        return 1.0 if left else 0.0

    return step


RULES: Final[Mapping[str, Rule]] = {
    "momentum": above_average(_MOMENTUM_PERIOD, 1.0),
    "reversion": above_average(_REVERSION_PERIOD, -1.0),
    "threshold momentum": threshold_momentum,
    "crossing averages": crossing_averages,
    "timed by volatility": timed_by_volatility,
    "after three falls": after_three_falls,
}
BY_VOLUME: Final = "volume"
PLANTED: Final = (*list(RULES)[:2], BY_VOLUME, *list(RULES)[2:])
# The bars that a state depends on.
PERIODS: Final[Mapping[str, int]] = {
    "momentum": _MOMENTUM_PERIOD,
    "reversion": _REVERSION_PERIOD,
    BY_VOLUME: 1,
    "threshold momentum": _MOMENTUM_PERIOD,
    "crossing averages": _SLOW,
    "timed by volatility": _VOLATILITY_PERIOD,
    "after three falls": 2 * _FALLS,
}


def plant(kind: str, drifts: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return log returns, traded volume and the state of the rule, each of shape (bars,).

    Args:
        kind: Name of the rule.
        drifts: Planted drift of each bar, where the rule is at work; shape (bars,).
        rng: Source of the noise.
    """
    bars = len(drifts)
    if kind == BY_VOLUME:
        return _plant_by_volume(drifts, rng)
    moves = rng.normal(0.0, VOLATILITY, bars)
    states = np.fromiter(_follow(RULES[kind], drifts, moves), np.float64, bars)
    return moves, np.exp(rng.normal(0.0, 0.4, bars)), states


def _follow(rule: Rule, drifts: Floats, moves: Floats) -> Iterator[float]:
    """Yield the state after each bar, and add the drift of the state before to the moves."""
    step, state, log = rule(), 0.0, 0.0
    for bar, drift in enumerate(drifts.tolist()):
        moves[bar] += drift * state
        log += moves[bar]
        state = step(float(moves[bar]), log)
        yield state


def _plant_by_volume(drifts: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Drift up at high volume and down at low volume. Each lasts 20 bars on average."""
    turns = rng.random(len(drifts)) < 1.0 / _REGIME
    state = np.where(np.cumsum(turns) % 2, 1.0, -1.0)
    traded = np.exp(0.8 * state + rng.normal(0.0, 0.2, len(drifts)))
    returns = rng.normal(0.0, VOLATILITY, len(drifts))
    returns[1:] += drifts[1:] * state[:-1]
    return returns, traded, state
