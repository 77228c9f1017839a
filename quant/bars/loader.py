"""Loads bars: built-in ones, and those of files, which are parsed once and then kept."""

from pathlib import Path

from errors import DataChanged
from quant.bars import catalog
from quant.bars.bars import MINIMUM_BARS, Bars
from quant.bars.cache import BarsCache
from quant.bars.dates import cut_to_dates
from quant.bars.reading.content import read_content
from quant.messages.data import DataSource


def load_bars(source: DataSource, data_dir: Path | None) -> Bars:
    """Load and validate bars.

    The built-in symbols are indices. Their adjusted close equals their close on every day.

    Args:
        source: Symbol and timeframe, the days if not all are wanted, and the required hash if
            earlier steps have used the bars.
        data_dir: Directory of the user's files; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: The symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted; the message names file, column and row. Or there
            are too few between these days.
        DataChanged: The bars do not have the required hash.
    """
    with BarsCache(data_dir) as cache:
        bars = read_found(catalog.Catalog(data_dir).find_file(source), source, cache)
    bars = cut_to_dates(bars, source, MINIMUM_BARS)
    if source.content_hash not in (None, bars.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{bars.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbol",
        )
    return bars


def read_found(file: catalog.BarsFile | None, source: DataSource, cache: BarsCache) -> Bars:
    """Return the bars of a file: those that are kept, or else read, validated and kept.

    Args:
        file: The file; None for the built-in bars.
        source: Symbol and timeframe.
        cache: Keeps bars of files.

    Raises:
        InvalidData: The bars cannot be trusted; the message names file, column and row.
    """
    if file is None:
        from quant.bars.parser import parse_built_in_bars  # noqa: PLC0415

        return parse_built_in_bars(source.symbol, source.timeframe)
    content = read_content(file.path)
    kept = cache.find(content, file, source.symbol, source.timeframe)
    if kept is not None:
        return kept
    # It loads pandas, which takes longer than to map what is kept.
    from quant.bars.parser import parse_bars  # noqa: PLC0415

    bars = parse_bars(content, file.path.name, source, file.mapping)
    cache.keep(bars, content, file)
    return bars


def load_built_in_bars() -> None:
    """Load all built-in bars, for the processes that are forked from this one."""
    for symbol in sorted(catalog.BUILT_IN_SYMBOLS):
        load_bars(DataSource(symbol=symbol), None)
