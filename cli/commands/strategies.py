"""`ktrdr strategies | validate`: strategy files."""

from pathlib import Path
from typing import Annotated

import typer

from cli.render.strategies import print_problems, print_strategies, print_valid
from cli.render.terminal.prose import print_prose
from cli.service.transport import ApiRefused
from cli.session import FAILED, JsonOption, report_errors, session_of


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
    """Check a strategy file, and say in which line each problem is."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        try:
            spec = session.api().validate(file.read_bytes())
        except ApiRefused as refusal:
            if session.as_json:
                raise
            print_problems(session.stderr, file, refusal)
            raise typer.Exit(FAILED) from None
    session.answer(spec, print_valid)
    if not session.as_json and spec.model.name != file.stem:
        print_prose(
            session.stderr,
            f"A research finds it by its name, so call the file {spec.model.name}.yaml.",
            style="yellow",
        )
