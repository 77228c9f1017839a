"""`ktrdr ledger`: the record of trials and looks that verdicts rest on."""

from typing import Annotated

import typer

from cli.render.ledger import print_verification
from cli.session import FAILED, JsonOption, report_errors, session_of

ledger = typer.Typer(no_args_is_help=True, help="The record of all trials and looks.")


@ledger.command()
def verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(help="Head that a report names; it must be in the ledger, unchanged."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a trial or a look was changed or is missing. Exits with 1 if so."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        found = session.api().verify_ledger(head=head)
    session.answer(found, print_verification)
    if not found.model.intact:
        raise typer.Exit(FAILED)


@ledger.callback()
def _keep_the_name() -> None:
    """The record of all trials and looks."""
