"""Loads the bars of all instruments of a request, and refuses those that cannot be used."""

from pathlib import Path
from typing import Final

from errors import DataChanged, InvalidData
from quant.bars.bars import Bars
from quant.bars.dates import cut_to_dates, find_days
from quant.bars.loader import Shelf, load_bars, open_shelf
from quant.messages.data import DataSource, DateRange
from quant.universe.universe import Universe

# With fewer bars an instrument would be part of a research by name only.
FEWEST_DEVELOPMENT_BARS: Final = 100
FEWEST_HOLDOUT_BARS: Final = 20
# With fewer, no figure of a backtest means anything.
MINIMUM_TRADED_BARS: Final = 20
_MOST_NAMED: Final = 5


def load_universe(source: DataSource, data_dir: Shelf | Path | None) -> Universe:
    """Load and validate the bars of all instruments.

    Args:
        source: Symbols and timeframe, the days if not all are wanted, and the required hash if
            earlier steps have used the bars.
        data_dir: Directory of the user's files, or its shelf; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: A symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted, or an instrument has too few of them before or in
            the holdout. The message names it.
        DataChanged: The bars do not have the required hash.
    """
    if not source.symbols:
        return Universe.of(load_bars(source, data_dir))
    universe = Universe.of(load_instruments(source, data_dir))
    _require_enough(universe)
    if source.content_hash not in (None, universe.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{universe.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbols",
        )
    return universe


def load_instruments(source: DataSource, data_dir: Shelf | Path | None) -> list[Bars]:
    """Load and validate the bars of each instrument by itself, in their order.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: A symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted, or there are none between these days.
    """
    with open_shelf(data_dir) as shelf:
        return [cut_to_dates(bars, source, 1) for bars in shelf.read(source)]


def find_traded(bars: Universe, days: DateRange) -> tuple[int, int]:
    """Return the index of the first time that a backtest of these days trades, and of the end.

    Raises:
        InvalidData: There are too few bars on these days.
    """
    first, last = find_days(bars.timestamps, days)
    if last - first < MINIMUM_TRADED_BARS:
        raise InvalidData(
            f"{bars.name} {bars.timeframe} has {max(last - first, 0)} bars on the days to be "
            f"traded; a backtest needs at least {MINIMUM_TRADED_BARS}. All its bars are from "
            f"{bars.format_time(0)} to {bars.format_time(-1)}.",
            field="start_date",
        )
    return first, last


def _require_enough(universe: Universe) -> None:
    """Refuse instruments that could not take part in both learning and judgement."""
    development, holdout = universe.split()
    short = [
        f"{before.symbol} has {len(before)} bars before and {len(after)} after"
        for before, after in zip(development.instruments, holdout.instruments, strict=True)
        if len(before) < FEWEST_DEVELOPMENT_BARS or len(after) < FEWEST_HOLDOUT_BARS
    ]
    if short:
        more = f"; so have {len(short) - _MOST_NAMED} more" if len(short) > _MOST_NAMED else ""
        raise InvalidData(
            f"The holdout of these instruments begins at {holdout.format_time(0)}, and each needs "
            f"at least {FEWEST_DEVELOPMENT_BARS} bars before and {FEWEST_HOLDOUT_BARS} after. "
            f"{'; '.join(short[:_MOST_NAMED])}{more}. Leave them out, or choose other days.",
            field="symbols",
        )
