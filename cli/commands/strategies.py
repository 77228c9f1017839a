"""`ktrdr strategies | validate`: strategy files."""

from pathlib import Path
from typing import Annotated

import typer

from cli.render.strategies import print_strategies, print_valid
from cli.session import JsonOption, report_errors, session_of


def strategies(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the available strategy files."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        entries = session.api().strategies()
    session.answer(entries, print_strategies)


def validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A YAML file.")],
    as_json: JsonOption = False,
) -> None:
    """Check a strategy file."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        spec = session.api().validate(file.read_bytes())
    session.answer(spec, print_valid)
