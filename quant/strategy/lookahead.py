"""A check that a computation on bars never uses the future."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from quant.bars.bars import Bars, Floats


def assert_causal(
    compute: Callable[[Bars], Floats], bars: Bars, cuts: Sequence[int], *, seed: int = 0
) -> None:
    """Check that no value before a cut changes when the bars from the cut on do.

    Two changes are tried at every cut: the later bars are removed, and the later bars are
    shuffled. Removal finds what refers to the future or to the sample as a whole; shuffling also
    finds what only works when a future exists.

    Args:
        compute: Returns one value or one row of values per bar.
        bars: What to compute on.
        cuts: Indices of the first changed bar, each from 1 to the last index.
        seed: Of the shuffles.

    Raises:
        AssertionError: Some value depends on a later bar; says which one.
    """
    expected = compute(bars)
    random = np.random.default_rng(seed)
    for cut in cuts:
        truncated = compute(bars.slice(0, cut))
        _compare(expected, truncated, cut, "removed")
        shuffled = compute(_shuffle_after(bars, cut, random))
        _compare(expected, shuffled, cut, "shuffled")


def _shuffle_after(bars: Bars, cut: int, random: np.random.Generator) -> Bars:
    """Put the bars from `cut` on into random order; the timestamps stay sorted."""
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
