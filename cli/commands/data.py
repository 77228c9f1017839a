"""`ktrdr data`: the bars in the data directory of this machine."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from cli.answer import Answer
from cli.local_answers import (
    AvailableBars,
    Finding,
    ImportedBars,
    ReadableBars,
    UnreadableBars,
)
from cli.render.data import print_bars, print_findings, print_imported
from cli.session import FAILED, JsonOption, report_errors, session_of
from errors import InvalidInput, KtrdrError
from quant.bars import catalog
from quant.bars.directory import list_files
from quant.bars.mapping import MAPPING_FILE, FileMapping, find_pattern, read_mappings
from quant.messages.data import DataSource
from quant.problems import list_problems

if TYPE_CHECKING:
    from quant.bars.bars import Bars

_Kind = TypeVar("_Kind", bound=BaseModel)

data = typer.Typer(no_args_is_help=True, help="List, check and import bars on this machine.")

TimeframeOption = Annotated[str, typer.Option(help="Length of a bar: 15m, 1h, 1d, 1w ...")]


class Source(StrEnum):
    """Sources of bars other than files."""

    YAHOO = "yahoo"


_SHOWN = {"symbol", "timeframe", "built_in", "file"}


@data.command("list")
def list_bars(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all bars that a research can use."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        available = [
            AvailableBars(
                **entry.model_dump(include=_SHOWN),
                path=_path(entry.file, session.settings.data_dir),
            )
            for entry in catalog.list_symbols(session.settings.data_dir)
        ]
    session.answer(Answer.own(available), print_bars)
    session.stderr.print(
        f"Your own bars: {session.settings.data_dir}", markup=False, soft_wrap=True, style="dim"
    )


@data.command()
def check(
    context: typer.Context,
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Symbols to check; all if omitted.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Validate bars as a research would, and show their range or their first error."""
    session = session_of(context, as_json)
    directory = session.settings.data_dir
    with report_errors(session.as_json):
        known = catalog.list_symbols(directory)
        for symbol in symbols or ():
            if symbol not in {entry.symbol for entry in known}:
                catalog.find_file(DataSource(symbol=symbol), directory)
        chosen = [entry for entry in known if symbols is None or entry.symbol in symbols]
        findings = [_check(entry, directory) for entry in chosen]
        if symbols is None:
            findings += [_warn(pattern, directory) for pattern in _unused_patterns(directory)]
    session.answer(Answer.own(findings), print_findings)
    if any(finding.error for finding in findings):
        raise typer.Exit(FAILED)


@data.command("import")
def import_(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="FILE|SYMBOL", help="A file, or a symbol with --from.")
    ],
    origin: Annotated[
        Source | None,
        typer.Option("--from", help="Download from this source instead of reading a file."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", "-s", help="Symbol to store the bars under.")
    ] = None,
    timeframe: TimeframeOption = catalog.DAILY,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="Column name, such as close='Adj Close'; may be repeated."),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(help="Time zone of timestamps without an offset; daily bars keep their date."),
    ] = "UTC",
    time_format: Annotated[
        str | None, typer.Option(help="strptime format of the timestamps.")
    ] = None,
    delimiter: Annotated[str, typer.Option(help="CSV field delimiter.")] = ",",
    decimal: Annotated[str, typer.Option(help="CSV decimal mark.")] = ".",
    start: Annotated[
        datetime | None, typer.Option(help="With --from: first day to download.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(help="With --from: day after the last one.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite an earlier import.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Validate bars and store them in the data directory."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        source = _source(symbol or (what if origin else Path(what).stem), timeframe)
        if origin is not None:
            bars = _download(origin, what, source, _to_date(start), _to_date(end))
        else:
            options = {
                "columns": dict(_parse_column(each) for each in column or ()),
                "timezone": timezone,
                "time_format": time_format,
                "delimiter": delimiter,
                "decimal": decimal,
            }
            bars = _read(Path(what), source, _validate(FileMapping, options))
        from quant.bars.importer import import_bars  # noqa: PLC0415

        info = import_bars(bars, session.settings.data_dir, replace=replace)
        stored = catalog.find_file(info.source, session.settings.data_dir)
    imported = ImportedBars(**info.model_dump(), path=str(stored.path) if stored else None)
    session.answer(Answer.own(imported), print_imported)


def _check(entry: catalog.CatalogEntry, directory: Path) -> Finding:
    from quant.bars.loader import load_bars  # noqa: PLC0415
    from quant.verdict import remarks  # noqa: PLC0415 - loads the numerical libraries

    source = DataSource(symbol=entry.symbol, timeframe=entry.timeframe)
    path = _path(entry.file, directory)
    try:
        bars = load_bars(source, directory)
        info = bars.describe().model_dump()
        return ReadableBars(**info, file=entry.file, path=path, remarks=remarks.describe_bars(bars))
    except KtrdrError as error:
        return UnreadableBars(
            **source.model_dump(), file=entry.file, path=path, error=error.message
        )


def _warn(pattern: str, directory: Path) -> Finding:
    """Return the warning about a pattern of `mapping.yaml` that matches no file."""
    return Finding(
        file=MAPPING_FILE,
        path=_path(MAPPING_FILE, directory),
        warning=f"{MAPPING_FILE}: no file matches {pattern!r}.",
    )


def _unused_patterns(directory: Path) -> list[str]:
    mappings = read_mappings(directory)
    used = {find_pattern(path.name, mappings) for path in list_files(directory, catalog.SUFFIXES)}
    return [pattern for pattern in mappings if pattern not in used]


def _path(file: str | None, directory: Path) -> str | None:
    return file and str(directory / file)


def _read(path: Path, source: DataSource, mapping: FileMapping) -> "Bars":
    from quant.bars import files  # noqa: PLC0415
    from quant.bars.loader import build_bars  # noqa: PLC0415

    if path.suffix.lower() not in catalog.SUFFIXES:
        raise InvalidInput(f"{path.name} is neither a CSV nor a Parquet file.", field="file")
    return build_bars(files.read_table(path, mapping), source, path.name, mapping)


def _download(
    origin: Source, name: str, source: DataSource, start: date | None, end: date | None
) -> "Bars":
    from quant.bars.downloads import SOURCES  # noqa: PLC0415
    from quant.bars.loader import build_bars  # noqa: PLC0415

    wanted = _source(name, source.timeframe)
    table = SOURCES[origin]().fetch(wanted, start, end)
    return build_bars(table, source, f"{name} from {origin}")


def _source(symbol: str, timeframe: str) -> DataSource:
    return _validate(DataSource, {"symbol": symbol, "timeframe": timeframe})


def _validate(kind: type[_Kind], values: dict[str, Any]) -> _Kind:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        place, said = list_problems(error)[0]
        raise InvalidInput(f"{place}: {said}", field=place) from None


def _parse_column(option: str) -> tuple[str, str]:
    ours, equals, theirs = option.partition("=")
    if not equals:
        raise InvalidInput(f"--column {option!r}: use the form close='Adj Close'.", field="column")
    return ours, theirs


def _to_date(moment: datetime | None) -> date | None:
    return moment and moment.date()
