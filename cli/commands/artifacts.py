"""`ktrdr artifacts`: what operations have stored, and deleting it."""

from collections.abc import Mapping
from typing import Annotated

import typer

from api.artifacts.schemas import DeletedArtifacts
from cli.answer import Answer
from cli.commands.options import ID_HELP, OperationArgument
from cli.input.ids import resolve_id
from cli.input.several import answer_each
from cli.render.artifacts import print_artifacts, print_deleted, print_old_deleted, say_what_is_old
from cli.render.terminal.prose import print_prose
from cli.session import JsonOption, Session, refuse_unused, report_errors, session_of

artifacts = typer.Typer(
    no_args_is_help=True, help="What operations have stored: list it, and delete it."
)


@artifacts.command("list")
def list_artifacts(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """List what an operation and its steps have stored."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        stored = api.artifacts(resolve_id(api, operation_id))
    session.answer(stored, print_artifacts)


@artifacts.command()
def delete(
    context: typer.Context,
    operation_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPERATION_ID", help=f"Of these operations. {ID_HELP}"),
    ] = None,
    older_than_days: Annotated[
        int | None,
        typer.Option(
            "--older-than", metavar="DAYS", help="Of operations that stored nothing for so long."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="With --older-than: only this owner.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-l", "-n", help="With --older-than: operations at most.", show_default="100"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --older-than: only tell what would be deleted.")
    ] = False,
    resumable: Annotated[
        bool,
        typer.Option("--resumable", help="Also what a failed or cancelled operation resumes from."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what operations have stored: models, curves, reports. Their record is kept."""
    session = session_of(context, as_json)
    if (older_than_days is None) == (not operation_ids):
        raise typer.BadParameter("give either operation ids or --older-than")
    if older_than_days is not None:
        selection = {
            "older_than_days": older_than_days,
            "owner": owner,
            "limit": limit,
            "resumable": resumable or None,
        }
        _delete_old(session, selection, dry_run=dry_run, yes=yes)
        return
    refuse_unused(context, {"owner", "limit", "dry_run"}, "without --older-than")
    api = session.api()
    with report_errors(session.as_json):
        ids = [resolve_id(api, each) for each in operation_ids or ()]
    _confirm(f"Delete what {', '.join(ids)} stored, for good?", yes=yes)

    def delete_one(operation_id: str) -> Answer[DeletedArtifacts]:
        return api.delete_artifacts(operation_id, resumable=resumable or None)

    answer_each(session, ids, delete_one, print_deleted)


def _delete_old(
    session: Session, selection: Mapping[str, object], *, dry_run: bool, yes: bool
) -> None:
    with report_errors(session.as_json):
        api = session.api()
        if dry_run or not yes:
            would = api.delete_old_artifacts(**selection, dry_run=True)
            if dry_run or not would.model.operation_ids:
                session.answer(would, print_old_deleted)
                return
            print_prose(session.stderr, say_what_is_old(would.model))
        _confirm("Delete it for good?", yes=yes)
        deleted = api.delete_old_artifacts(**selection)
    session.answer(deleted, print_old_deleted)


def _confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the answer was given. Without anybody who could answer, nothing is deleted.

    Raises:
        typer.Abort: The answer is no, or there is none.
    """
    if not yes:
        typer.confirm(question, abort=True, err=True)
