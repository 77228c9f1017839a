"""Loads bars: built-in ones, and those of files, which are parsed once and then kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from errors import DataChanged
from quant.bars.bars import MINIMUM_BARS, Bars
from quant.bars.cache import BarsCache, make_key
from quant.bars.catalog import BUILT_IN_SYMBOLS, BarsFile, Catalog
from quant.bars.dates import cut_to_dates
from quant.bars.reading.content import read_content
from quant.messages.data import DataSource


@dataclass(frozen=True)
class Shelf:
    """The bars of a data directory for a while, in which it is listed once.

    Attributes:
        catalog: The files.
        cache: What is kept of them.
    """

    catalog: Catalog
    cache: BarsCache

    def read(self, source: DataSource) -> Iterator[Bars]:
        """Yield all bars of each instrument, in their order, of whatever days.

        Raises:
            UnknownSymbol: No such symbol.
            InvalidInput: A symbol does not exist in this timeframe.
            InvalidData: The bars cannot be trusted; the message names file, column and row.
        """
        files = self.catalog.find_files(source)
        for symbol, file in zip(source.instruments, files, strict=True):
            yield _read_found(file, symbol, source.timeframe, self.cache)


@contextmanager
def open_shelf(data_dir: Shelf | Path | None) -> Iterator[Shelf]:
    """Yield the shelf of a data directory. One that is open already stays open.

    Args:
        data_dir: Directory of the user's files, or its shelf; None if there are none.
    """
    if isinstance(data_dir, Shelf):
        yield data_dir
        return
    with BarsCache(data_dir) as cache:
        yield Shelf(Catalog(data_dir), cache)


def load_bars(source: DataSource, data_dir: Shelf | Path | None) -> Bars:
    """Load and validate bars.

    The built-in symbols are indices. Their adjusted close equals their close on every day.

    Args:
        source: Symbol and timeframe, the days if not all are wanted, and the required hash if
            earlier steps have used the bars.
        data_dir: Directory of the user's files, or its shelf; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: The symbol does not exist in this timeframe.
        InvalidData: The bars cannot be trusted; the message names file, column and row. Or there
            are too few between these days.
        DataChanged: The bars do not have the required hash.
    """
    with open_shelf(data_dir) as shelf:
        [bars] = shelf.read(source)
    bars = cut_to_dates(bars, source, MINIMUM_BARS)
    if source.content_hash not in (None, bars.content_hash):
        raise DataChanged(
            f"The bars of {source.symbol} {source.timeframe} have changed: their SHA-256 is "
            f"{bars.content_hash}, and earlier steps used {source.content_hash}.",
            field="symbol",
        )
    return bars


def _read_found(file: BarsFile | None, symbol: str, timeframe: str, cache: BarsCache) -> Bars:
    """Return the bars of a file: those that are kept, or else read, validated and kept.

    Raises:
        InvalidData: The bars cannot be trusted; the message names file, column and row.
    """
    if file is None:
        from quant.bars.parser import parse_built_in_bars  # noqa: PLC0415

        return parse_built_in_bars(symbol, timeframe)
    content = read_content(file.path)
    key = make_key(content, file, timeframe)
    kept = cache.find(key, symbol, timeframe)
    if kept is not None:
        return kept
    # It loads pandas, which takes longer than to map what is kept.
    from quant.bars.parser import parse_bars  # noqa: PLC0415

    source = DataSource(symbol=symbol, timeframe=timeframe)
    bars = parse_bars(content, file.path.name, source, file.mapping)
    cache.keep(bars, key)
    return bars


def load_built_in_bars() -> None:
    """Load all built-in bars, for the processes that are forked from this one."""
    for symbol in sorted(BUILT_IN_SYMBOLS):
        load_bars(DataSource(symbol=symbol), None)
