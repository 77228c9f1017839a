"""The available bars: the built-in symbols and the files in the user's data directory.

A file with daily bars is named `<symbol>.csv` or `<symbol>.parquet`; for any timeframe it may be
`<symbol>_<timeframe>.csv` or `.parquet`. An entry in `mapping.yaml` overrides the name. Built-in
symbols are reserved: a file such as `SP500.csv` is never read, so that SP500 means the same bars
in every record.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from errors import InvalidData, InvalidInput, UnknownSymbol
from quant.bars.directory import list_files
from quant.bars.mapping import FileMapping, find_mapping, read_mappings
from quant.bars.timeframes import DAILY, validate_timeframe
from quant.messages.base import FrozenModel
from quant.messages.data import DataSource, Symbol
from quant.wording import join_names

BUILT_IN_SYMBOLS = frozenset({"NASDAQ", "SP500"})
SUFFIXES = frozenset({".csv", ".parquet"})

_WITH_TIMEFRAME = re.compile(r"(?P<symbol>.+)_(?P<timeframe>[1-9][0-9]{0,2}[mhdw])")
# For imports: what people put before a timeframe varies.
_ENDING_WITH_TIMEFRAME = re.compile(
    r"(?P<symbol>.+?)[_. -](?P<timeframe>[1-9][0-9]{0,2}[mhdw])", re.IGNORECASE
)
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.=^-]+")
_LONGEST_SYMBOL = 32
_MOST_NAMED = 10
_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)


class CatalogEntry(FrozenModel):
    """Bars that a research can use."""

    symbol: str
    timeframe: str
    built_in: bool
    file: str | None = Field(None, description="Name in the data directory")


@dataclass(frozen=True)
class BarsFile:
    """A user's file, and how to read it."""

    path: Path
    mapping: FileMapping


class Catalog:
    """The available bars. The user's directory is listed once, when it is needed first.

    Args:
        directory: The user's directory; None for none.
    """

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory

    @cached_property
    def _files(self) -> dict[tuple[str, str], list[BarsFile]]:
        return _map_files(self.directory)

    def list_symbols(self) -> list[CatalogEntry]:
        """List all bars: the built-in ones first, then the files of the directory by name.

        Raises:
            InvalidData: `mapping.yaml` is not valid.
        """
        built_in = [
            CatalogEntry(symbol=symbol, timeframe=DAILY, built_in=True)
            for symbol in sorted(BUILT_IN_SYMBOLS)
        ]
        of_user = [
            CatalogEntry(symbol=symbol, timeframe=timeframe, built_in=False, file=file.path.name)
            for (symbol, timeframe), files in sorted(self._files.items())
            for file in files
        ]
        return built_in + of_user

    def find_file(self, source: DataSource) -> BarsFile | None:
        """Return the file that holds these bars; None for a built-in symbol.

        Raises:
            UnknownSymbol: No such symbol; the message lists those that exist.
            InvalidInput: The symbol exists, but not in this timeframe.
            InvalidData: Two files hold these bars, or `mapping.yaml` is not valid.
        """
        return self.find_files(source)[0]

    def find_files(self, source: DataSource) -> list[BarsFile | None]:
        """Return the file of each instrument, in their order; None for a built-in symbol.

        Raises:
            UnknownSymbol: No such symbol; the message lists those that exist.
            InvalidInput: A symbol exists, but not in this timeframe.
            InvalidData: Two files hold the same bars, or `mapping.yaml` is not valid.
        """
        timeframe = validate_timeframe(source.timeframe)
        # Built-in bars must load even if something in the user's directory is wrong.
        files = {} if is_built_in(source) else self._files
        known = {(symbol, DAILY) for symbol in BUILT_IN_SYMBOLS} | set(files)
        timeframes: dict[str, set[str]] = {}
        for symbol, known_timeframe in known:
            timeframes.setdefault(symbol, set()).add(known_timeframe)
        field = "symbols" if source.symbols else "symbol"
        if unknown := [each for each in source.instruments if each not in timeframes]:
            raise UnknownSymbol(
                f"No bars exist for {', '.join(map(repr, unknown[:_MOST_NAMED]))}. "
                f"Known symbols: {join_names(timeframes)}.",
                field=field,
            )
        return [
            _choose(symbol, timeframe, timeframes[symbol], files, field)
            for symbol in source.instruments
        ]

    def require_benchmark(self, symbol: str, timeframe: str) -> None:
        """Check that bars exist to compare a strategy with.

        Raises:
            UnknownSymbol: No such symbol; the message lists those that exist.
            InvalidInput: It does not exist in this timeframe.
        """
        try:
            self.find_file(DataSource(symbol=symbol, timeframe=timeframe))
        except InvalidInput as error:
            raise type(error)(f"benchmark: {error.message}", field="benchmark") from error


def is_built_in(source: DataSource) -> bool:
    """Whether all instruments are built in, so that the user's directory does not matter."""
    return BUILT_IN_SYMBOLS.issuperset(source.instruments)


def _choose(
    symbol: str,
    timeframe: str,
    timeframes: set[str],
    files: dict[tuple[str, str], list[BarsFile]],
    field: str,
) -> BarsFile | None:
    if timeframe not in timeframes:
        raise InvalidInput(
            f"{symbol} has no bars of timeframe {timeframe}, only of {join_names(timeframes)}.",
            field="timeframe",
        )
    if symbol in BUILT_IN_SYMBOLS:
        return None
    file, *others = files[symbol, timeframe]
    if others:
        names = " and ".join(each.path.name for each in [file, *others])
        raise InvalidData(f"{names} hold the same symbol and timeframe; keep one.", field=field)
    return file


def name_symbol(text: str) -> str:
    """Return a symbol for a name that others use: `GSPC` for `^GSPC`, `BTC-USDT` for `BTC/USDT`.

    Raises:
        InvalidInput: Nothing of the name is left.
    """
    legal = _ILLEGAL.sub("-", text.strip()).lstrip("_.=^-").rstrip("-")[:_LONGEST_SYMBOL]
    if not legal:
        raise InvalidInput(f"{text!r} is not a symbol.", field="symbol")
    return legal


def split_name(stem: str) -> tuple[str, str | None]:
    """Return the symbol and the timeframe that a file name ends with, such as `_1h` or `-1h`."""
    match = _ENDING_WITH_TIMEFRAME.fullmatch(stem)
    if match is None:
        return stem, None
    return match["symbol"], match["timeframe"].lower()


def _map_files(data_dir: Path | None) -> dict[tuple[str, str], list[BarsFile]]:
    """Map each symbol and timeframe to the files that hold its bars."""
    files: dict[tuple[str, str], list[BarsFile]] = {}
    mappings = read_mappings(data_dir)
    for path in list_files(data_dir, SUFFIXES):
        mapping = find_mapping(path.name, mappings)
        match = _WITH_TIMEFRAME.fullmatch(path.stem)
        named, lasting = match.group("symbol", "timeframe") if match else (path.stem, DAILY)
        symbol, timeframe = mapping.symbol or named, mapping.timeframe or lasting
        if symbol not in BUILT_IN_SYMBOLS and _is_symbol(symbol):
            files.setdefault((symbol, timeframe), []).append(BarsFile(path, mapping))
    return files


def _is_symbol(name: str) -> bool:
    try:
        _SYMBOL.validate_python(name)
    except ValidationError:
        return False
    return True
