"""The rules that bars must keep to be trusted."""

from dataclasses import replace
from typing import Final

import numpy as np

from errors import InvalidData
from quant.bars.bars import MINIMUM_BARS, Bars
from quant.bars.catalog import split_name
from quant.bars.checks.spacing import require_timeframe
from quant.bars.reading.numerals import SMALLEST_PRICE

# High, low and close were rounded, or multiplied by a factor, each by itself. A difference that
# small is no error; prices of 32 bits differ by less.
_ROUNDING: Final = 1e-6


def validate_bars(bars: Bars, name: str) -> Bars:
    """Return the bars, highs and lows corrected for rounding.

    Args:
        bars: As they were read.
        name: Name of the table in messages.

    Raises:
        InvalidData: A row breaks a rule. Later rules rely on the earlier ones.
    """
    steps = np.diff(bars.timestamps, prepend=bars.timestamps[:1] - 1)
    lowest_body = np.minimum(bars.open, bars.close)
    highest_body = np.maximum(bars.open, bars.close)
    margin = _ROUNDING * highest_body
    rules = (
        ("timestamp", steps == 0, "repeats the timestamp of the row before"),
        (
            "timestamp",
            steps < 0,
            "is older than the row before; sort the rows by time (--sort, or `sort: true` in "
            "mapping.yaml)",
        ),
        *(
            (column, getattr(bars, column) < SMALLEST_PRICE, "is not a positive price")
            for column in ("open", "high", "low", "close")
        ),
        ("volume", bars.volume < 0, "is negative"),
        ("high", bars.high < bars.low - margin, "is below the low"),
        ("high", bars.high < highest_body - margin, "is below the open or the close"),
        ("low", bars.low > lowest_body + margin, "is above the open or the close"),
    )
    for column, broken, complaint in rules:
        if broken.any():
            row = int(np.argmax(broken))
            raise InvalidData(
                f"{name}, row {row + 1} ({bars.format_time(row)}): {column} {complaint}.",
                field=column,
            )
    if len(bars) < MINIMUM_BARS:
        raise InvalidData(
            f"{name} has {len(bars)} bars; at least {MINIMUM_BARS} are needed to split them into "
            "development and holdout.",
            field="symbol",
        )
    require_timeframe(bars.timestamps, bars.timeframe, name, split_name(bars.symbol)[0])
    return replace(
        bars, high=np.maximum(bars.high, highest_body), low=np.minimum(bars.low, lowest_body)
    )
