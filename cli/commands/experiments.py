"""`ktrdr experiments | leaderboard | markets | note | tag | reproduce | hypotheses | budget`.

The record of researches.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli.answer import Answer
from cli.commands.options import ID_HELP, LimitOption, OperationArgument, show_default
from cli.export import SUFFIXES, explain_write_errors, write_table
from cli.follow import follow_to_end
from cli.input.ids import resolve_id
from cli.local_answers import Exported
from cli.render.experiments import (
    print_budget,
    print_experiment,
    print_experiments,
    print_export,
    print_hypotheses,
    print_leaderboard,
    print_markets,
    print_note,
    print_reproduction,
)
from cli.service.client import Api
from cli.session import (
    FAILED,
    JsonOption,
    Session,
    refuse_unused,
    report_errors,
    session_of,
)
from errors import NotFinished
from storage.ledger.records import ExperimentSummary
from workflows.interface.contract import OperationStatus
from workflows.interface.messages import ResearchRequest

_PAGE = 1000

SymbolOption = Annotated[str | None, typer.Option("--symbol", "-s", help="Only this symbol.")]
OwnerOption = Annotated[str | None, typer.Option("--owner", help="Only this owner.")]


def experiments(
    context: typer.Context,
    operation_id: Annotated[
        str | None, typer.Argument(help=f"Show the full record of this experiment. {ID_HELP}")
    ] = None,
    symbol: SymbolOption = None,
    owner: OwnerOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only this status: completed, failed or cancelled.")
    ] = None,
    verdict: Annotated[str | None, typer.Option(help="Only this verdict.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Only with this text in ID, symbol, owner, strategy, brief or note."),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            help="Sort by finished_at, sharpe, deflated_sharpe, development_sharpe, total_return, "
            "cost, symbol, owner, strategy_name, verdict or status."
        ),
    ] = "finished_at",
    limit: LimitOption = 20,
    export: Annotated[
        Path | None,
        typer.Option(
            help="Write all matching experiments to this .csv or .parquet file.", dir_okay=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List ended researches, including those that Temporal no longer keeps."""
    session = session_of(context, as_json)
    filters = {
        "symbol": symbol,
        "owner": owner,
        "status": status,
        "verdict": verdict,
        "tag": tag,
        "text": text,
        "sort": sort,
    }
    if operation_id is not None:
        refuse_unused(context, {*filters, "limit", "export"}, "on a single experiment")
    if export is not None:
        refuse_unused(context, {"limit"}, "with --export: it writes all")
    if export is not None and export.suffix not in SUFFIXES:
        raise typer.BadParameter(f"--export writes {' or '.join(SUFFIXES)} files")
    with report_errors(session.as_json):
        if operation_id is not None:
            api = session.api()
            answer = api.experiment(resolve_id(api, operation_id))
            session.answer(answer, print_experiment)
            return
        if export is not None:
            rows = _all(session.api(), filters)
            with explain_write_errors("--export", export):
                write_table(rows, export)
            written = Exported(path=str(export.absolute()), experiments=len(rows))
            session.answer(Answer.own(written), print_export)
            return
        page = session.api().experiments(**filters, limit=limit)
    session.answer(page, print_experiments)


def leaderboard(
    context: typer.Context,
    symbol: SymbolOption = None,
    owner: OwnerOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Rank completed researches by verdict, then by today's deflated Sharpe ratio."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        page = session.api().leaderboard(symbol=symbol, owner=owner, limit=limit)
    session.answer(page, print_leaderboard)


def markets(
    context: typer.Context,
    symbol: SymbolOption = None,
    timeframe: Annotated[str | None, typer.Option(help="Only this timeframe.")] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Candidates that the next research would try.",
            show_default=show_default(ResearchRequest, "trials"),
        ),
    ] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the trials and looks used up on each market, and what they cost the next research."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        page = session.api().markets(symbol=symbol, timeframe=timeframe, trials=trials, limit=limit)
    session.answer(page, print_markets)


def note(
    context: typer.Context,
    operation_id: OperationArgument,
    text: Annotated[str, typer.Argument(help="The note. An empty one removes it.")],
    as_json: JsonOption = False,
) -> None:
    """Write a note on an experiment, in the place of the one that it has."""
    _annotate(session_of(context, as_json), operation_id, {"note": text})


def tag(
    context: typer.Context,
    operation_id: OperationArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG", help="Tags to add.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="A tag to remove; can be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add tags to an experiment, or remove some."""
    if not tags and not remove:
        raise typer.BadParameter("give tags to add, or --remove")
    changes = {"add_tags": tags or [], "remove_tags": remove or []}
    _annotate(session_of(context, as_json), operation_id, changes)


def _annotate(session: Session, operation_id: str, changes: Mapping[str, object]) -> None:
    with report_errors(session.as_json):
        api = session.api()
        changed = api.annotate(resolve_id(api, operation_id), changes)
    session.answer(changed, print_note)


def reproduce(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Repeat a finished research, and compare the results bit for bit."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        repeated = api.reproduce(resolve_id(api, operation_id)).model.operation_id
        session.stderr.print(f"Started {repeated}", markup=False)
        ended = follow_to_end(api, repeated, session.stderr).model
        if ended.status is not OperationStatus.COMPLETED:
            raise NotFinished(
                f"{repeated} is {ended.status}: {ended.error_message or 'no reason given'}"
            )
        answer = api.reproduction(repeated)
        identical = answer.model.identical
    session.answer(answer, print_reproduction)
    if not identical:
        raise typer.Exit(FAILED)


def hypotheses(
    context: typer.Context,
    symbol: SymbolOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only this status: open, supported, refuted or inconclusive.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the hypotheses that assessments have suggested, and their outcomes."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        found = session.api().hypotheses(symbol=symbol, status=status)
    session.answer(found, print_hypotheses)


def budget(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show today's spending on language models, and the remaining budget."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        answer = session.api().budget()
    session.answer(answer, print_budget)


def _all(api: Api, filters: Mapping[str, object]) -> list[ExperimentSummary]:
    rows: list[ExperimentSummary] = []
    while True:
        page = api.experiments(**filters, limit=_PAGE, offset=len(rows)).model
        rows += page.data
        if not page.data or len(rows) >= page.total_count:
            return rows
