"""Which bars exist: the built-in symbols and the files in the user's data directory.

A file is named `<symbol>.csv` or `<symbol>.parquet` for daily bars, `<symbol>_<timeframe>.csv` or
`.parquet` for any timeframe. The names of built-in symbols are reserved: a file such as
`SP500.csv` is never read, so that SP500 means the same bars in every record.

The API imports this module; it must stay free of numerical libraries.
"""

import re
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from errors import InvalidData, InvalidInput, UnknownSymbol
from quant.directory import files_inside, shorten
from quant.models import DataSource, Symbol, Timeframe

BUILT_IN_SYMBOLS = frozenset({"NASDAQ", "SP500"})
DAILY = "1d"
SUFFIXES = frozenset({".csv", ".parquet"})

_WITH_TIMEFRAME = re.compile(r"(?P<symbol>.+)_(?P<timeframe>[1-9][0-9]{0,2}[mhdw])")
_TIMEFRAME: TypeAdapter[str] = TypeAdapter(Timeframe)
_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)


class CatalogEntry(DataSource):
    """Bars that exist."""

    built_in: bool


def symbols(data_dir: Path | None) -> list[CatalogEntry]:
    """List all bars, built-in ones first, then those of the data directory by name."""
    built_in = [
        CatalogEntry(symbol=symbol, timeframe=DAILY, built_in=True)
        for symbol in sorted(BUILT_IN_SYMBOLS)
    ]
    of_user = [
        CatalogEntry(symbol=symbol, timeframe=timeframe, built_in=False)
        for symbol, timeframe in sorted(_files(data_dir))
    ]
    return built_in + of_user


def resolve(source: DataSource, data_dir: Path | None) -> Path | None:
    """Return the file that holds these bars, or None for a built-in symbol.

    Raises:
        UnknownSymbol: No such symbol; the message lists those that exist.
        InvalidInput: The symbol exists, but not in this timeframe.
        InvalidData: Two files claim to hold these bars.
    """
    timeframe = _checked_timeframe(source.timeframe)
    files = _files(data_dir)
    known = {(symbol, DAILY) for symbol in BUILT_IN_SYMBOLS} | set(files)
    timeframes = {known_timeframe for symbol, known_timeframe in known if symbol == source.symbol}
    if not timeframes:
        raise UnknownSymbol(
            f"There are no bars for {source.symbol!r}. "
            f"Known symbols: {shorten({symbol for symbol, _ in known})}.",
            field="symbol",
        )
    if timeframe not in timeframes:
        raise InvalidInput(
            f"{source.symbol} has no bars of timeframe {timeframe}, only of {shorten(timeframes)}.",
            field="timeframe",
        )
    if source.symbol in BUILT_IN_SYMBOLS:
        return None
    path, *others = files[source.symbol, timeframe]
    if others:
        names = " and ".join(file.name for file in [path, *others])
        raise InvalidData(f"{names} hold the same symbol and timeframe; keep one.", field="symbol")
    return path


def _checked_timeframe(timeframe: str) -> str:
    try:
        return _TIMEFRAME.validate_python(timeframe)
    except ValidationError:
        raise InvalidInput(
            f"{timeframe!r} is not a timeframe; examples are 15m, 1h, 1d and 1w.",
            field="timeframe",
        ) from None


def _files(data_dir: Path | None) -> dict[tuple[str, str], list[Path]]:
    """Map symbol and timeframe to the files that claim to hold them."""
    files: dict[tuple[str, str], list[Path]] = {}
    for path in files_inside(data_dir, SUFFIXES):
        match = _WITH_TIMEFRAME.fullmatch(path.stem)
        symbol, timeframe = match.group("symbol", "timeframe") if match else (path.stem, DAILY)
        if symbol not in BUILT_IN_SYMBOLS and _is_symbol(symbol):
            files.setdefault((symbol, timeframe), []).append(path)
    return files


def _is_symbol(name: str) -> bool:
    try:
        _SYMBOL.validate_python(name)
    except ValidationError:
        return False
    return True
