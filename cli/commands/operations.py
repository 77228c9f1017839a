"""`ktrdr status | ops | follow | cancel | resume | retry`: show, stop and continue operations."""

from typing import Annotated

import typer

from cli.answer import Answer
from cli.commands.options import FollowOption
from cli.follow import follow_to_end
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
from cli.session import (
    FAILED,
    JsonOption,
    OperationArgument,
    Session,
    refuse_unused,
    report_errors,
    session_of,
)
from errors import InvalidInput
from workflows.contract import OperationStatus

_ENDED = (OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.CANCELLED)


def status(
    context: typer.Context,
    operation_id: Annotated[
        str | None, typer.Argument(metavar="[OPERATION_ID]", help="Show this operation.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one operation, or an overview."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        if operation_id is not None:
            operation = api.operation(operation_id)
            session.answer(operation, print_operation)
            return
        counts = {"running": api.operations(active_only=True, limit=1).model.total_count}
        for ended in _ENDED:
            counts[ended] = api.operations(status=ended, limit=1).model.total_count
        overview = Overview(operations=counts, workers=api.readiness().model.workers)
        session.answer(Answer.own(overview), print_overview)


def ops(
    context: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            "-s",
            help="Only this status: pending, running, completed, failed or cancelled.",
        ),
    ] = None,
    operation_type: Annotated[
        str | None,
        typer.Option(
            "--type", "-t", help="Only this type: agent_research, training or backtesting."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only this owner.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", help="Maximum rows.")] = 50,
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
    if session.as_json:
        session.answer_json(page.json["data"])
    else:
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
    raise typer.Exit(FAILED if operation.model.status is OperationStatus.FAILED else 0)


def follow(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Watch an operation to its end; Ctrl-C detaches. Exit code 1 if it failed."""
    follow_and_exit(session_of(context, as_json), operation_id)


def cancel(
    context: typer.Context,
    operation_id: Annotated[
        str | None, typer.Argument(metavar="[OPERATION_ID]", help="Cancel this operation.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", "-r", help="Reason to record with the cancel.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Terminate without any clean-up.")
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
    """Cancel exactly one operation; cancelling a step cancels its research."""
    session = session_of(context, as_json)
    if every == (operation_id is not None):
        raise typer.BadParameter("give either an operation id or --all")
    if every:
        refuse_unused(context, {"force"}, "with --all: it terminates one operation")
    else:
        refuse_unused(context, {"owner", "symbol", "dry_run"}, "without --all")
    with report_errors(session.as_json):
        if operation_id is None:
            if owner is None and symbol is None:
                raise InvalidInput(
                    "--all needs --owner or --symbol; alone it would cancel everything.",
                    field="owner",
                )
            batch = session.api().cancel_many(
                owner=owner, symbol=symbol, reason=reason, dry_run=dry_run or None
            )
            session.answer(batch, print_batch)
            return
        cancelled = session.api().cancel(operation_id, reason=reason, force=force)
    session.answer(cancelled, print_cancelled)


def resume(
    context: typer.Context,
    operation_id: OperationArgument,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Continue a cancelled or failed operation from its first unfinished step."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        resumed = session.api().resume(operation_id)
    if follow:
        follow_and_exit(session, operation_id)
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
        started = session.api().retry(operation_id)
    if follow:
        follow_and_exit(session, started.model.operation_id)
        return
    session.answer(started, print_started)
