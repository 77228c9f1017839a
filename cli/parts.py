"""`ktrdr children | results | metrics | report`: what an operation has besides its state."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from cli import render_parts
from cli.session import JsonOption, OperationArgument, refusals, session_of


def children(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """List the steps of an operation that have begun."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        page = session.api().part(operation_id, "children")
    session.answer(page["data"], render_parts.print_children)


def results(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Show what an operation came to."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        answer = session.api().part(operation_id, "results")
    session.answer(answer, render_parts.print_results)


def metrics(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Show how a training went, iteration by iteration; also while it runs."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        answer = session.api().part(operation_id, "metrics")["data"]
    session.answer(answer, render_parts.print_metrics)


def report(
    context: typer.Context,
    operation_id: OperationArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there.", dir_okay=False)
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch the report of a research, by default as a file named after it."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        content = session.api().report(operation_id)
    path = (output or Path(f"{operation_id}.html")).absolute()
    path.write_bytes(content)
    session.answer({"operation_id": operation_id, "report": str(path)}, render_parts.print_report)
    if open_it:
        webbrowser.open(path.as_uri())
