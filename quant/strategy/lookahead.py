"""Checks that a computation on bars uses no later bars."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from quant.bars.bars import Bars, Floats


def assert_causal(
    compute: Callable[[Bars], Floats], bars: Bars, cuts: Sequence[int], *, seed: int = 0
) -> None:
    """Check that no value before a cut changes when the bars from the cut on do.

    At every cut the later bars are first removed, then shuffled. Removal finds a computation that
    uses the future or the sample as a whole. Shuffling also finds one that uses the future only
    where there is one.

    Args:
        compute: Returns shape (bars,) or (bars, columns); NaN equals NaN.
        bars: Bars to compute on.
        cuts: Indices of the first bar to change, each from 1 to the last index.
        seed: Seed of the shuffles.

    Raises:
        AssertionError: A value depends on a later bar; the message says which value.
    """
    expected = compute(bars)
    random = np.random.default_rng(seed)
    for cut in cuts:
        truncated = compute(bars.slice(0, cut))
        _compare(expected, truncated, cut, "removed")
        shuffled = compute(_shuffle_after(bars, cut, random))
        _compare(expected, shuffled, cut, "shuffled")


def _shuffle_after(bars: Bars, cut: int, random: np.random.Generator) -> Bars:
    """Shuffle the bars from index `cut` on; the timestamps stay sorted."""
    order = np.concatenate([np.arange(cut), cut + random.permutation(len(bars) - cut)])
    return replace(
        bars,
        open=bars.open[order],
        high=bars.high[order],
        low=bars.low[order],
        close=bars.close[order],
        volume=bars.volume[order],
    )


def _compare(expected: Floats, actual: Floats, cut: int, change: str) -> None:
    before, after = expected[:cut], actual[:cut]
    if before.shape != after.shape:
        raise AssertionError(f"With bars from {cut} on {change}, values before it are missing.")
    equal = (before == after) | (np.isnan(before) & np.isnan(after))
    if not equal.all():
        bar = int(np.argwhere(~equal)[0][0])
        raise AssertionError(
            f"The value at bar {bar} changes when bars from {cut} on are {change}: look-ahead."
        )
