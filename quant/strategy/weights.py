"""Turns probabilities into the weights that the account follows.

A weight is a position times the share of the instrument, times the scale of the volatility target.
For one instrument without a target, it is the position.
"""

import numpy as np
from numpy.typing import NDArray

from errors import InvalidInput
from quant.bars.bars import Floats
from quant.messages.strategy import StrategySpec
from quant.strategy.positions import decide_positions
from quant.strategy.requirements import require_instruments
from quant.strategy.stops import give_up
from quant.universe.shares import (
    BARS_BETWEEN_CHANGES,
    VOLATILITY_BARS,
    share_by_volatility,
    share_equally,
)
from quant.universe.universe import Universe


def decide_weights(universe: Universe, probabilities: Floats, spec: StrategySpec) -> Floats:
    """Decide at every close which weights to hold from the next open on.

    Args:
        universe: Bars until the last one that is traded. Those before the first probability serve
            to measure volatility.
        probabilities: Probability of a rise, shape (traded bars, instruments), of the last bars of
            the universe. NaN where there is none.
        spec: The strategy.

    Returns:
        Shape (traded bars, instruments), NaN where an instrument has no bar: nothing is decided.
        Row t depends on bars and probabilities up to t only.

    Raises:
        InvalidInput: There are too few instruments to rank, or too few bars to measure volatility.
    """
    start = len(universe) - len(probabilities)
    require_instruments(spec, len(universe.instruments))
    traded = universe.slice(start, len(universe))
    if spec.positions == "cross_sectional":
        ranked = _rank(probabilities, traded.exists, spec)
        shares = 1.0 / np.maximum(np.abs(ranked).sum(axis=1, keepdims=True), 1.0)
        position = _stop(ranked, traded, spec)
        if spec.weights == "inverse_volatility":
            volatile = share_by_volatility(universe.exists, universe.closes)[start:]
            held = np.where(ranked != 0.0, volatile, 0.0)
            shares = held / np.maximum(held.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    else:
        position = _decide_each(probabilities, traded, spec)
        shares = (
            share_equally(universe.exists)
            if spec.weights == "equal"
            else share_by_volatility(universe.exists, universe.closes)
        )[start:]
    weights = position * shares
    if spec.volatility_target is not None:
        weights = weights * _scale(weights, shares, universe, spec, spec.volatility_target)
    return np.where(traded.exists, weights, np.nan)


def require_measured_volatility(spec: StrategySpec, before: int) -> None:
    """Check that there are enough bars to measure the volatility that a target needs.

    Args:
        spec: The strategy.
        before: Bars before the first that is traded.

    Raises:
        InvalidInput: There are too few.
    """
    if spec.volatility_target is not None and before < VOLATILITY_BARS:
        raise InvalidInput(
            f"`volatility_target` {spec.volatility_target:g} is measured over {VOLATILITY_BARS} "
            f"bars, and there are {before} before the first that is traded.",
            field="volatility_target",
        )


def _decide_each(probabilities: Floats, traded: Universe, spec: StrategySpec) -> Floats:
    """Decide for each instrument by itself, shape (bars, instruments), carried over holes."""
    columns = [
        give_up(decide_positions(probabilities[place, number], spec), bars, spec).astype(np.float64)
        for number, (place, bars) in enumerate(zip(traded.places, traded.instruments, strict=True))
    ]
    return _carry(traded.spread(columns))


def _rank(probabilities: Floats, exists: NDArray[np.bool_], spec: StrategySpec) -> Floats:
    """Hold the best and the worst instruments, ranked anew after every horizon.

    Instruments without a probability at that time are not ranked, and not held. Among equal
    probabilities the first instrument comes first.
    """
    held = np.zeros(probabilities.shape)
    for first in range(0, len(probabilities), spec.horizon):
        known = np.flatnonzero(~np.isnan(probabilities[first]) & exists[first])
        each = min(spec.per_side, len(known) // 2)
        order = known[np.argsort(-probabilities[first, known], kind="stable")]
        held[first : first + spec.horizon, order[:each]] = 1.0
        held[first : first + spec.horizon, order[len(order) - each :]] = -1.0
    return held


def _stop(held: Floats, traded: Universe, spec: StrategySpec) -> Floats:
    columns = [
        give_up(held[place, number].astype(np.int8), bars, spec).astype(np.float64)
        for number, (place, bars) in enumerate(zip(traded.places, traded.instruments, strict=True))
    ]
    return _carry(traded.spread(columns))


def _carry(position: Floats) -> Floats:
    """Keep a position where its instrument has no bar."""
    missing = np.isnan(position)
    if not missing.any():
        return position
    row = np.where(missing, 0, np.arange(len(position))[:, np.newaxis])
    latest = np.take_along_axis(position, np.maximum.accumulate(row, axis=0), axis=0)
    return np.nan_to_num(latest)


def _scale(
    weights: Floats, shares: Floats, universe: Universe, spec: StrategySpec, target: float
) -> Floats:
    """Return the factor that brings weights to a volatility, shape (bars, 1).

    It is measured anew after every `BARS_BETWEEN_CHANGES` bars: by what the weights of that close
    would have earned over the last `VOLATILITY_BARS` bars. Without any position, the shares of all
    instruments are used. Nothing invests more than `most_exposure`.
    """
    start = len(universe) - len(weights)
    require_measured_volatility(spec, start)
    closes = _carry_prices(universe.closes)
    moves = np.nan_to_num(np.diff(closes, axis=0, prepend=closes[:1]) / _shift(closes))
    year = np.sqrt(universe.periods_per_year)
    scale = np.ones((len(weights), 1))
    for first in range(0, len(weights), BARS_BETWEEN_CHANGES):
        now = start + first + 1
        held = weights[first] if np.any(weights[first]) else shares[first]
        deviation = float(np.std(moves[now - VOLATILITY_BARS : now] @ held, ddof=1)) * year
        factor = target / deviation if deviation > 0.0 else spec.most_exposure
        scale[first : first + BARS_BETWEEN_CHANGES] = min(factor, spec.most_exposure)
    return scale


def _shift(closes: Floats) -> Floats:
    return np.concatenate([closes[:1], closes[:-1]])


def _carry_prices(closes: Floats) -> Floats:
    row = np.where(np.isnan(closes), 0, np.arange(len(closes))[:, np.newaxis])
    carried: Floats = np.take_along_axis(closes, np.maximum.accumulate(row, axis=0), axis=0)
    return carried
