"""Turns probabilities into target positions."""

import numpy as np
from numpy.typing import NDArray

from quant.messages.strategy import StrategySpec


def decide_positions(probabilities: NDArray[np.float64], spec: StrategySpec) -> NDArray[np.int8]:
    """Decide at the close of every bar which position to hold from the next open on.

    A probability of at least 0.5 + `threshold` is a bullish signal, one of at most
    0.5 - `threshold` a bearish one. A signal is in force for `horizon` bars, the span that the
    label looks ahead. A newer signal replaces it: one of the same direction renews the position
    without a trade, one of the opposite direction reverses it at once. Without a signal in force
    the position is flat. Holding for the horizon saves costs while a probability hovers around the
    threshold.

    Args:
        probabilities: Probability of a rise, shape (bars,). NaN, as in the warm-up of the
            indicators, means flat and ends a signal.
        spec: Gives threshold, horizon and the directions that are allowed. In a long-only strategy
            a bearish signal closes the long position, in a short-only one a bullish one the short.

    Returns:
        Shape (bars,): -1, 0 or 1. Element t depends on probabilities up to bar t only.
    """
    known = ~np.isnan(probabilities)
    bullish = known & (probabilities >= 0.5 + spec.threshold)
    bearish = known & (probabilities <= 0.5 - spec.threshold) & ~bullish
    signal = bullish.astype(np.int8) - bearish.astype(np.int8)

    bar = np.arange(len(signal))
    latest = np.maximum.accumulate(np.where((signal != 0) | ~known, bar, -1))
    in_force = (latest >= 0) & (bar - latest < spec.horizon)
    position = np.where(in_force, signal[np.maximum(latest, 0)], 0).astype(np.int8)
    if spec.positions == "long_only":
        return np.maximum(position, 0)
    return np.minimum(position, 0) if spec.positions == "short_only" else position
