"""`ktrdr data`: the bars in the data directory of this machine."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from cli.answer import Answer
from cli.checked_bars import check_bars, list_unused_patterns, locate, warn_of_unused
from cli.local_answers import AvailableBars, ImportedBars
from cli.render.data import print_bars, print_findings, print_imported
from cli.service.transport import ApiUnreachable
from cli.session import FAILED, JsonOption, Session, report_errors, session_of
from errors import InvalidInput, KtrdrError
from quant.bars import catalog
from quant.bars.mapping import FileMapping
from quant.bars.timeframes import DAILY, validate_timeframe
from quant.messages.data import DataSource
from quant.problems import list_problems

if TYPE_CHECKING:
    from quant.bars.bars import Bars
    from quant.bars.reading.columns import Say

_Kind = TypeVar("_Kind", bound=BaseModel)

data = typer.Typer(no_args_is_help=True, help="List, check and import bars on this machine.")

# The options of `import` that are not called as the fields of a mapping.
_OPTIONS: Final = {"columns": "column", "header": "columns", "time_format": "time-format"}


class Source(StrEnum):
    """Sources of bars other than files."""

    YAHOO = "yahoo"


@data.command("list")
def list_bars(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all bars that a research can use."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        available = [
            AvailableBars(
                **entry.model_dump(),
                path=locate(entry.file, session.settings.data_dir),
            )
            for entry in catalog.Catalog(session.settings.data_dir).list_symbols()
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
        bars = catalog.Catalog(directory)
        known = bars.list_symbols()
        for symbol in symbols or ():
            if symbol not in {entry.symbol for entry in known}:
                bars.find_file(DataSource(symbol=symbol))
        chosen = [entry for entry in known if symbols is None or entry.symbol in symbols]
        findings = [check_bars(entry, directory) for entry in chosen]
        if symbols is None:
            findings += [
                warn_of_unused(pattern, directory) for pattern in list_unused_patterns(directory)
            ]
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
    timeframe: Annotated[
        str | None,
        typer.Option(help="Length of a bar: 15m, 1h, 1d, 1w ...; by name or times if left out."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="Column name, such as close='Adj Close' or timestamp='<DATE>+<TIME>'; may be "
            "repeated.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns", help="Names of all columns of a file without a header, comma-separated."
        ),
    ] = None,
    no_volume: Annotated[
        bool, typer.Option("--no-volume", help="The file has no volume; features of it go.")
    ] = False,
    sort: Annotated[bool, typer.Option("--sort", help="Sort the rows by time.")] = False,
    timezone: Annotated[
        str | None,
        typer.Option(help="Time zone of the market, such as Asia/Tokyo; UTC if left out."),
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="strptime format of the timestamps.")
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(help="CSV field delimiter, such as ';' or '\\t'; found if left out."),
    ] = None,
    decimal: Annotated[str, typer.Option(help="CSV decimal mark.")] = ".",
    thousands: Annotated[
        str | None, typer.Option(help="Separator of thousands; none if left out.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(help="With --from: first day to download.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(help="With --from: day after the last one.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite an earlier import.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and validate, but store nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Validate bars and store them in the data directory."""
    session = session_of(context, as_json)
    notes: list[str] = []
    with report_errors(session.as_json):
        names = dict(_parse_column(each) for each in column or ())
        options: dict[str, Any] = {
            "columns": names | ({"volume": None} if no_volume else {}),
            "header": None if columns is None else tuple(columns.split(",")),
            "sort": sort,
            "timezone": timezone,
            "time_format": time_format,
            "delimiter": delimiter,
            "decimal": decimal,
            "thousands": thousands,
        }
        mapping = _validate(FileMapping, options)
        if origin is not None:
            _refuse_unused(_list_changed(mapping), "a download")
            period = _to_date(start), _to_date(end)
            bars = _download(origin, what, symbol, timeframe or DAILY, period, notes.append)
        else:
            given = {"--start": start, "--end": end}
            _refuse_unused([name for name, day in given.items() if day], "a file")
            bars = _read(Path(what), symbol, timeframe, mapping, notes.append)
        imported = _store(bars, session.settings.data_dir, notes, replace=replace, dry_run=dry_run)
        if imported.stored:
            imported = imported.model_copy(update={"watches": _wake_watches(session, imported)})
    session.answer(Answer.own(imported), print_imported)


def _store(
    bars: "Bars", directory: Path, notes: list[str], *, replace: bool, dry_run: bool
) -> ImportedBars:
    from quant.bars.importer import import_bars, require_free  # noqa: PLC0415
    from quant.verdict import remarks  # noqa: PLC0415 - loads the numerical libraries

    _, path = require_free(bars, directory, replace=replace)
    info = bars.describe() if dry_run else import_bars(bars, directory, replace=replace)
    return ImportedBars(
        **info.model_dump(),
        path=str(path),
        stored=not dry_run,
        notes=notes,
        remarks=remarks.describe_bars(bars),
    )


def _wake_watches(session: Session, imported: ImportedBars) -> list[str] | None:
    """Let watches look at once. Bars may be imported on a machine on which no service runs."""
    try:
        looking = session.api().look_at(imported.symbol, imported.timeframe).model
    except ApiUnreachable:
        return None
    except KtrdrError as error:
        session.stderr.print(
            f"Watches of these bars look at their usual time: {error.message}",
            markup=False,
            style="dim",
        )
        return None
    return [watch.research_id for watch in looking]


def _read(
    path: Path, symbol: str | None, timeframe: str | None, mapping: FileMapping, say: "Say"
) -> "Bars":
    from quant.bars.importer import read_for_import  # noqa: PLC0415

    if timeframe is not None:
        validate_timeframe(timeframe)
    return read_for_import(path, symbol, timeframe, mapping, say)


def _download(
    origin: Source,
    name: str,
    symbol: str | None,
    timeframe: str,
    period: tuple[date | None, date | None],
    say: "Say",
) -> "Bars":
    from quant.bars.downloads import SOURCES  # noqa: PLC0415
    from quant.bars.importer import choose_symbol  # noqa: PLC0415
    from quant.bars.parser import build_bars  # noqa: PLC0415

    source = DataSource(
        symbol=choose_symbol(symbol or name, say), timeframe=validate_timeframe(timeframe)
    )
    table = SOURCES[origin]().fetch(name, source.timeframe, *period)
    return build_bars(table, source, f"{name} from {origin}", say=say)


def _list_changed(mapping: FileMapping) -> list[str]:
    """Return the options that say something about a file."""
    return [
        f"--{_OPTIONS.get(name, name)}"
        for name, value in mapping.model_dump().items()
        if value != FileMapping.model_fields[name].get_default(call_default_factory=True)
    ]


def _refuse_unused(options: list[str], what: str) -> None:
    if options:
        raise InvalidInput(
            f"{', '.join(options)}: has no effect on {what}.", field=options[0].lstrip("-")
        )


def _validate(kind: type[_Kind], values: dict[str, Any]) -> _Kind:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        place, said = list_problems(error)[0]
        # The options say the same as the fields of a mapping, most of them by the same name.
        field, _, rest = place.partition(".")
        option = field and f"--{_OPTIONS.get(field, field)}"
        raise InvalidInput(
            ": ".join(part for part in (option, rest, said) if part), field=place
        ) from None


def _parse_column(option: str) -> tuple[str, str]:
    ours, equals, theirs = option.partition("=")
    if not equals:
        raise InvalidInput(f"--column {option!r}: use the form close='Adj Close'.", field="column")
    return ours, theirs


def _to_date(moment: datetime | None) -> date | None:
    return moment and moment.date()
