"""`ktrdr children | results | metrics | report | compare`: what an operation has produced."""

import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.answer import Answer
from cli.commands.options import ID_HELP, OperationArgument
from cli.export import explain_write_errors
from cli.input.ids import resolve_id
from cli.local_answers import ComparedResearch, Comparison, ReportSaved
from cli.render.results import (
    print_children,
    print_comparison,
    print_metrics,
    print_report,
    print_results,
)
from cli.session import JsonOption, report_errors, session_of
from errors import InvalidInput

if TYPE_CHECKING:
    from quant.messages.report.dossier import Dossier

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write.", dir_okay=False)
]
OpenOption = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    JSON = "json"
    PNG = "png"


def children(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """List the steps that an operation has begun."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        begun = api.children(resolve_id(api, operation_id))
    session.answer(begun, print_children)


def results(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Show the result of an operation."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        answer = api.results(resolve_id(api, operation_id))
    session.answer(answer, print_results)


def metrics(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Show the metrics of a training by iteration, also while it runs."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        answer = api.metrics(resolve_id(api, operation_id))
    session.answer(answer, print_metrics)


def report(
    context: typer.Context,
    operation_id: OperationArgument,
    kind: Annotated[
        Format,
        typer.Option("--format", help="html: the page; json: its data; png: its main figures."),
    ] = Format.HTML,
    instrument: Annotated[
        str | None,
        typer.Option(metavar="SYMBOL", help="The page of one instrument: its price and trades."),
    ] = None,
    output: OutputOption = None,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch the report of a research, by default as a file named after it."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        meant = resolve_id(api, operation_id)
        if kind is Format.PNG and instrument is None:
            content = _draw(api.report(meant, "json"))
        elif kind is Format.PNG:
            raise InvalidInput("--instrument: is a page; it has no picture.", field="instrument")
        else:
            content = api.report(meant, kind, instrument)
        name = meant if instrument is None else f"{meant}.{instrument}"
        path = save(content, output or Path(f"{name}.{kind}"), open_it)
    saved = ReportSaved(operation_id=meant, report=path)
    session.answer(Answer.own(saved), print_report)


def compare(
    context: typer.Context,
    operation_ids: Annotated[
        list[str],
        typer.Argument(metavar="OPERATION_ID", help=f"Researches to compare. {ID_HELP}"),
    ],
    output: OutputOption = None,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare researches side by side; with --open or --output, as a page with equity curves."""
    from quant.messages.report.dossier import Dossier  # noqa: PLC0415
    from quant.report.comparison import compare as compare_dossiers  # noqa: PLC0415
    from quant.report.page import render_comparison  # noqa: PLC0415

    session = session_of(context, as_json)
    path = None
    with report_errors(session.as_json):
        _require_several(operation_ids)
        api = session.api()
        ids = [resolve_id(api, each) for each in operation_ids]
        _require_several(ids)
        dossiers = [Dossier.model_validate_json(api.report(each, "json")) for each in ids]
        if output is not None or open_it:
            addresses = {each: api.report_address(each) for each in ids}
            page = render_comparison(dossiers, addresses).encode()
            path = save(page, output or Path("comparison.html"), open_it)
    compared = compare_dossiers(dossiers)
    comparison = Comparison(
        researches=[_row(each) for each in dossiers],
        parameters=compared.parameters,
        correlations=compared.correlations,
        common_days=compared.common_days,
        page=path,
    )
    session.answer(Answer.own(comparison), print_comparison)


def _row(dossier: "Dossier") -> ComparedResearch:
    research, result = dossier.input, dossier.result
    return ComparedResearch(
        operation_id=research.operation_id,
        strategy=research.spec.name,
        bars=f"{research.data.symbol} {research.data.timeframe}",
        verdict=result.verdict,
        trials_ever=research.trials_ever,
        statistics=result.statistics,
        holdout=research.backtest and research.backtest.get_level(1.0),
    )


def save(content: bytes, path: Path, open_it: bool) -> str:
    """Write a file, open it on request, and return its path.

    Raises:
        InvalidInput: It cannot be written.
    """
    path = path.absolute()
    with explain_write_errors("--output", path):
        path.write_bytes(content)
    if open_it:
        webbrowser.open(path.as_uri())
    return str(path)


def _require_several(operation_ids: list[str]) -> None:
    twice = [each for each in dict.fromkeys(operation_ids) if operation_ids.count(each) > 1]
    if twice:
        raise InvalidInput(f"OPERATION_ID: {twice[0]} is given twice.", field="operation_id")
    if len(operation_ids) < 2:
        raise InvalidInput(
            "OPERATION_ID: a comparison needs at least two researches.", field="operation_id"
        )


def _draw(report: bytes) -> bytes:
    from quant.messages.report.dossier import Dossier  # noqa: PLC0415
    from quant.report.sheet import draw_sheet  # noqa: PLC0415 - loads the numerical libraries

    return draw_sheet(Dossier.model_validate_json(report))
