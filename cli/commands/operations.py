"""`ktrdr status | ops | follow | cancel | resume | retry`: show, stop and continue operations."""

from functools import partial
from typing import Annotated

import typer
from pydantic_core import to_jsonable_python

from api.operations.schemas import OperationCancelled
from cli.answer import Answer
from cli.commands.options import (
    ID_HELP,
    FollowOption,
    LimitOption,
    OperationArgument,
    OwnerFilter,
    StatusFilter,
)
from cli.commands.research_options import make_research_labels
from cli.follow import follow_to_end
from cli.input.ids import resolve_id
from cli.input.several import answer_each
from cli.local_answers import Overview
from cli.render.operations import (
    print_batch,
    print_cancelled,
    print_operation,
    print_operations,
    print_outcome,
    print_overview,
    print_resumed,
    print_started,
)
from cli.render.suggestions import print_suggestions, suggest_next
from cli.session import FAILED, JsonOption, Session, refuse_unused, report_errors, session_of
from errors import InvalidInput, NotCancellable
from workflows.interface.contract import OperationInfo, OperationStatus

_ENDED = (OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.CANCELLED)


def status(
    context: typer.Context,
    operation_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPERATION_ID", help=f"Show these operations. {ID_HELP}"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show operations, or an overview of all."""
    session = session_of(context, as_json)
    api = session.api()
    if operation_ids:

        def show(given: str) -> Answer[OperationInfo]:
            return api.operation(resolve_id(api, given))

        answer_each(
            session, operation_ids, show, partial(print_operation, labels=make_research_labels())
        )
        return
    with report_errors(session.as_json):
        counts = {"running": api.operations(active_only=True, limit=1).model.total_count}
        for ended in _ENDED:
            counts[ended] = api.operations(status=ended, limit=1).model.total_count
        overview = Overview(operations=counts, workers=api.readiness().model.workers)
        session.answer(Answer.own(overview), print_overview)


def ops(
    context: typer.Context,
    status: StatusFilter = None,
    operation_type: Annotated[
        str | None,
        typer.Option(
            "--type", "-t", help="Only this type: agent_research, training or backtesting."
        ),
    ] = None,
    owner: OwnerFilter = None,
    limit: LimitOption = 50,
    active: Annotated[
        bool, typer.Option("--active", "-a", help="Only operations that have not ended.")
    ] = False,
    resumable: Annotated[
        bool, typer.Option("--resumable", "-r", help="Only operations that can be resumed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List operations, newest first."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        page = session.api().operations(
            status=status,
            operation_type=operation_type,
            owner=owner,
            limit=limit,
            active_only=active,
            resumable=resumable,
        )
    session.answer(page, print_operations)


def follow_and_exit(session: Session, operation_id: str) -> None:
    """Follow an operation to its end; Ctrl-C detaches. Exits with 1 if it failed."""
    with report_errors(session.as_json):
        try:
            operation = follow_to_end(session.api(), operation_id, session.stderr)
        except KeyboardInterrupt:
            session.stderr.print(f"Detached; {operation_id} continues.", markup=False)
            return
    session.answer(operation, print_outcome)
    if not session.as_json:
        print_suggestions(session.stderr, *suggest_next(operation.model))
    raise typer.Exit(FAILED if operation.model.status is OperationStatus.FAILED else 0)


def follow(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Watch an operation to its end; Ctrl-C detaches. Exit code 1 if it failed."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        meant = resolve_id(session.api(), operation_id)
    follow_and_exit(session, meant)


def cancel(
    context: typer.Context,
    operation_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPERATION_ID", help=f"Cancel these operations. {ID_HELP}"),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", "-r", help="Reason to record with the cancel.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Terminate without any clean-up.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait until the work has stopped.")
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--all", help="Cancel every running operation that matches the filters."),
    ] = False,
    owner: Annotated[str | None, typer.Option(help="With --all: only this owner.")] = None,
    symbol: Annotated[str | None, typer.Option(help="With --all: only this symbol.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --all: only list what would be cancelled.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Cancel exactly these operations; cancelling a step cancels its research."""
    session = session_of(context, as_json)
    if every == bool(operation_ids):
        raise typer.BadParameter("give either operation ids or --all")
    if every:
        refuse_unused(context, {"force", "follow"}, "with --all: it needs operation ids")
        _cancel_all(session, owner=owner, symbol=symbol, reason=reason, dry_run=dry_run)
        return
    refuse_unused(context, {"owner", "symbol", "dry_run"}, "without --all")
    api = session.api()

    def cancel_one(given: str) -> Answer[OperationCancelled]:
        meant = resolve_id(api, given)
        cancelled = api.cancel(meant, reason=reason, force=force)
        if not follow or cancelled.model.cancelled_at is not None:
            return cancelled
        ended = follow_to_end(api, meant, session.stderr).model
        if ended.status is not OperationStatus.CANCELLED:
            raise NotCancellable(f"{meant} was {ended.status} before the cancel reached it.")
        told = {"status": ended.status, "cancelled_at": ended.completed_at}
        return Answer.received(cancelled.json | to_jsonable_python(told), OperationCancelled)

    answer_each(session, operation_ids or (), cancel_one, print_cancelled)


def _cancel_all(session: Session, *, dry_run: bool, **selection: str | None) -> None:
    with report_errors(session.as_json):
        if selection["owner"] is None and selection["symbol"] is None:
            raise InvalidInput(
                "--all needs --owner or --symbol; alone it would cancel everything.",
                field="owner",
            )
        batch = session.api().cancel_many(**selection, dry_run=dry_run or None)
    session.answer(batch, print_batch)


def resume(
    context: typer.Context,
    operation_id: OperationArgument,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Continue a cancelled or failed operation from its first unfinished step."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        resumed = api.resume(resolve_id(api, operation_id))
    if follow:
        follow_and_exit(session, resumed.model.operation_id)
        return
    session.answer(resumed, print_resumed)


def retry(
    context: typer.Context,
    operation_id: OperationArgument,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start a cancelled or failed operation again, under a new ID."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        started = api.retry(resolve_id(api, operation_id))
    if follow:
        follow_and_exit(session, started.model.operation_id)
        return
    session.answer(started, print_started)
