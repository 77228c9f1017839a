"""What a strategy is compared with: its own instruments, or a symbol that somebody has chosen."""

from pathlib import Path
from typing import Final

import numpy as np

from errors import DataChanged, InvalidInput
from quant.bars.bars import Bars
from quant.bars.loader import Shelf, open_shelf
from quant.messages.data import DataSource
from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe

_FIELD: Final = "benchmark"


def load_benchmark(
    symbol: str | None,
    bars: Universe,
    data_dir: Shelf | Path | None,
    content_hash: str | None = None,
) -> Universe:
    """Return the bars of the benchmark, on the clock of the bars that are traded.

    Args:
        symbol: The chosen symbol; None for the traded instruments themselves.
        bars: All bars of these.
        data_dir: Directory of the user's bars, or its shelf; None if there are none.
        content_hash: The required hash of the answer, if earlier steps have used the benchmark.

    Returns:
        A universe with the same clock. What the symbol did between two times of the clock is in the
        bar of the later one. Where it did nothing, its price stays.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: It does not exist in this timeframe, or has too long a hole.
        InvalidData: Its bars cannot be trusted.
        DataChanged: On this clock they do not have the required hash.
    """
    if symbol is None:
        return bars
    source = DataSource(symbol=symbol, timeframe=bars.timeframe)
    with open_shelf(data_dir) as shelf:
        [own] = shelf.read(source)
    aligned = Universe.of(align(own, bars))
    if content_hash not in (None, aligned.content_hash):
        raise DataChanged(
            f"benchmark: the bars of {symbol} {bars.timeframe} have changed: their SHA-256 at the "
            f"times of {bars.name} is {aligned.content_hash}, and earlier steps used "
            f"{content_hash}.",
            field=_FIELD,
        )
    return aligned


def align(own: Bars, bars: Universe) -> Bars:
    """Put bars on the clock of others, as `load_benchmark` says.

    Raises:
        InvalidInput: For more than `LONGEST_ABSENCE` times together there is no bar.
    """
    clock = bars.timestamps
    # The first time of the clock at which each bar has begun.
    places = np.searchsorted(clock, own.timestamps)
    places, rows = places[places < len(clock)], np.flatnonzero(places < len(clock))
    if len(rows):
        # Of all that was before the clock begins, only the last bar is of its first time.
        rows = rows[max(np.searchsorted(places, 0, side="right") - 1, 0) :]
        places = places[len(places) - len(rows) :]
    _require_few_holes(places, own, bars)
    first = np.flatnonzero(np.diff(places, prepend=-1))
    last = np.append(first[1:], len(places)) - 1
    known = places[first]
    # The bar in force at each time; before the first, its open was the price.
    newest = np.searchsorted(known, np.arange(len(clock)), side="right") - 1
    exists = np.zeros(len(clock), dtype=bool)
    exists[known] = True
    closes = np.where(newest < 0, own.open[rows[0]], own.close[rows[last]][newest])

    def spread(values: np.ndarray) -> np.ndarray:
        return np.where(exists, values[newest], closes)

    return Bars(
        symbol=own.symbol,
        timeframe=own.timeframe,
        timestamps=clock,
        open=spread(own.open[rows[first]]),
        high=spread(np.maximum.reduceat(own.high[rows], first)),
        low=spread(np.minimum.reduceat(own.low[rows], first)),
        close=closes,
        volume=np.zeros(len(clock)),
    )


def _require_few_holes(places: np.ndarray, own: Bars, bars: Universe) -> None:
    """Refuse a benchmark that is missing for long: its price would stand still."""
    missing = np.diff(places, prepend=-1, append=len(bars)) - 1
    worst = int(np.argmax(missing))
    if missing[worst] <= LONGEST_ABSENCE:
        return
    begin = 0 if worst == 0 else int(places[worst - 1]) + 1
    raise InvalidInput(
        f"benchmark: {own.symbol} {own.timeframe} has no bar at {missing[worst]} times of "
        f"{bars.name} from {bars.format_time(begin)}; at most {LONGEST_ABSENCE} may be missing "
        f"together. Its bars are from {own.format_time(0)} to {own.format_time(-1)}.",
        field=_FIELD,
    )
