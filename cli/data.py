"""`ktrdr data`: the bars in the data directory of this machine."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from cli import render_data
from cli.session import FAILED, JsonOption, refusals, session_of
from errors import InvalidInput, KtrdrError
from quant import catalog
from quant.mapping import MAPPING_FILE, FileMapping, mapping_of, read_mappings
from quant.models import DataSource

if TYPE_CHECKING:
    from quant.data import Bars

_Kind = TypeVar("_Kind", bound=BaseModel)

data = typer.Typer(no_args_is_help=True, help="List, check and import bars on this machine.")

TimeframeOption = Annotated[str, typer.Option(help="15m, 1h, 1d, 1w ...")]


class Source(StrEnum):
    """Where bars can be imported from, beside files."""

    YAHOO = "yahoo"


@data.command("list")
def list_bars(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all bars that a research can use."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        entries = [
            entry.model_dump(exclude={"content_hash"})
            for entry in catalog.symbols(session.settings.bars)
        ]
    session.answer(entries, render_data.print_bars)


@data.command()
def check(
    context: typer.Context,
    symbols: Annotated[list[str] | None, typer.Argument(help="All of them if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read bars as a research would, and say what they are or what is wrong with them."""
    session = session_of(context, as_json)
    directory = session.settings.bars
    with refusals(session.as_json):
        known = catalog.symbols(directory)
        for symbol in symbols or ():
            if symbol not in {entry.symbol for entry in known}:
                catalog.resolve(DataSource(symbol=symbol), directory)
        chosen = [entry for entry in known if symbols is None or entry.symbol in symbols]
        findings = [_finding(entry, directory) for entry in chosen]
        findings += [
            {"file": MAPPING_FILE, "error": f"No file fits {pattern!r}."}
            for pattern in _unused_patterns(directory)
            if symbols is None
        ]
    session.answer(findings, render_data.print_findings)
    if any(finding["error"] for finding in findings):
        raise typer.Exit(FAILED)


@data.command("import")
def import_(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="FILE|SYMBOL", help="A file, or a symbol with --from.")
    ],
    origin: Annotated[
        Source | None, typer.Option("--from", help="Download it from there instead.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", "-s", help="Name that it shall have.")
    ] = None,
    timeframe: TimeframeOption = catalog.DAILY,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="Such as close='Adj Close'; once per column."),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Of times without one.")] = "UTC",
    time_format: Annotated[str | None, typer.Option(help="As of strptime.")] = None,
    delimiter: Annotated[str, typer.Option(help="Of a CSV file.")] = ",",
    decimal: Annotated[str, typer.Option(help="Of a CSV file.")] = ".",
    start: Annotated[datetime | None, typer.Option(help="With --from.")] = None,
    end: Annotated[datetime | None, typer.Option(help="With --from.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="An earlier import.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check bars and put them into the data directory."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        source = _source(symbol or (what if origin else Path(what).stem), timeframe)
        if origin is not None:
            bars = _downloaded(origin, what, source, _day(start), _day(end))
        else:
            options = {
                "columns": dict(_pair(each) for each in column or ()),
                "timezone": timezone,
                "time_format": time_format,
                "delimiter": delimiter,
                "decimal": decimal,
            }
            bars = _read(Path(what), source, _valid(FileMapping, options))
        from quant.importing import import_bars  # noqa: PLC0415

        info = import_bars(bars, session.settings.bars, replace=replace)
    session.answer(info.model_dump(), render_data.print_imported)


def _finding(entry: catalog.CatalogEntry, directory: Path) -> dict[str, Any]:
    from quant import remarks  # noqa: PLC0415 - loads the numerical libraries
    from quant.data import load  # noqa: PLC0415

    source = DataSource(symbol=entry.symbol, timeframe=entry.timeframe)
    found: dict[str, Any] = {**source.model_dump(), "file": entry.file, "error": None}
    try:
        bars = load(source, directory)
        return found | bars.info().model_dump() | {"remarks": remarks.of_bars(bars)}
    except KtrdrError as error:
        return found | {"error": error.message}


def _unused_patterns(directory: Path) -> list[str]:
    mappings = read_mappings(directory)
    files = [entry.file for entry in catalog.symbols(directory) if entry.file]
    used = [mapping_of(file, mappings) for file in files]
    return [pattern for pattern, mapping in mappings.items() if mapping not in used]


def _read(path: Path, source: DataSource, mapping: FileMapping) -> "Bars":
    from quant import tables  # noqa: PLC0415
    from quant.data import of_table  # noqa: PLC0415

    if path.suffix.lower() not in catalog.SUFFIXES:
        raise InvalidInput(f"{path.name} is neither a CSV nor a Parquet file.", field="file")
    return of_table(tables.read(path, mapping), source, path.name, mapping)


def _downloaded(
    origin: Source, name: str, source: DataSource, start: date | None, end: date | None
) -> "Bars":
    from quant.data import of_table  # noqa: PLC0415
    from quant.downloads import SOURCES  # noqa: PLC0415

    wanted = _source(name, source.timeframe)
    table = SOURCES[origin]().fetch(wanted, start, end)
    return of_table(table, source, f"{name} from {origin}")


def _source(symbol: str, timeframe: str) -> DataSource:
    return _valid(DataSource, {"symbol": symbol, "timeframe": timeframe})


def _valid(kind: type[_Kind], values: dict[str, Any]) -> _Kind:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise InvalidInput(f"{place}: {first['msg']}", field=place) from None


def _pair(option: str) -> tuple[str, str]:
    ours, equals, theirs = option.partition("=")
    if not equals:
        raise InvalidInput(f"--column {option!r} is not like close='Adj Close'.", field="column")
    return ours, theirs


def _day(moment: datetime | None) -> date | None:
    return moment and moment.date()
