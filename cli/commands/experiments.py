"""`ktrdr experiments | leaderboard | reproduce | hypotheses | budget`: the record of researches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli.answer import Answer
from cli.client import Api
from cli.export import SUFFIXES, explain_write_errors, write_table
from cli.follow import follow_to_end
from cli.local_answers import Exported
from cli.render.experiments import (
    print_budget,
    print_experiment,
    print_experiments,
    print_export,
    print_hypotheses,
    print_leaderboard,
    print_reproduction,
)
from cli.session import (
    FAILED,
    JsonOption,
    OperationArgument,
    refuse_unused,
    report_errors,
    session_of,
)
from errors import NotFinished
from storage.records import ExperimentSummary
from workflows.contract import OperationStatus

_PAGE = 1000

SymbolOption = Annotated[str | None, typer.Option("--symbol", "-s", help="Only this symbol.")]
OwnerOption = Annotated[str | None, typer.Option("--owner", help="Only this owner.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Maximum rows.")]


def experiments(
    context: typer.Context,
    operation_id: Annotated[
        str | None, typer.Argument(help="Show the full record of this experiment.")
    ] = None,
    symbol: SymbolOption = None,
    owner: OwnerOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only this status: completed, failed or cancelled.")
    ] = None,
    verdict: Annotated[str | None, typer.Option(help="Only this verdict.")] = None,
    sort: Annotated[
        str,
        typer.Option(
            help="Sort by finished_at, sharpe, deflated_sharpe, development_sharpe, total_return "
            "or cost."
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
    filters = {"symbol": symbol, "owner": owner, "status": status, "verdict": verdict, "sort": sort}
    if operation_id is not None:
        refuse_unused(context, {*filters, "limit", "export"}, "on a single experiment")
    if export is not None:
        refuse_unused(context, {"limit"}, "with --export: it writes all")
    if export is not None and export.suffix not in SUFFIXES:
        raise typer.BadParameter(f"--export writes {' or '.join(SUFFIXES)} files")
    with report_errors(session.as_json):
        if operation_id is not None:
            answer = session.api().experiment(operation_id)
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


def reproduce(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Repeat a finished research, and compare the results bit for bit."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        repeated = api.reproduce(operation_id).model.operation_id
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
