"""Bars that are made of closes alone."""

import numpy as np

from quant.bars.bars import Bars, Floats

_DAY = 86_400 * 10**9


def make_bars(close: Floats, step: int = _DAY, symbol: str = "MADE", timeframe: str = "1d") -> Bars:
    """Return bars that open at the close before, `step` nanoseconds apart, from 1970 on."""
    opened = np.concatenate([close[:1], close[:-1]])
    return Bars(
        symbol,
        timeframe,
        np.arange(len(close), dtype=np.int64) * step,
        opened,
        np.maximum(opened, close),
        np.minimum(opened, close),
        close,
        np.full(len(close), 1000.0),
    )
