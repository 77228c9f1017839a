"""`ktrdr campaign`: many researches under one budget."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli.answer import Answer
from cli.commands.operations import follow_and_exit
from cli.commands.options import (
    FollowOption,
    LimitOption,
    OperationArgument,
    OwnerFilter,
    StatusFilter,
    show_default,
)
from cli.commands.research_options import takes_research
from cli.commands.results import OpenOption, OutputOption, save
from cli.input.ids import resolve_id
from cli.local_answers import ReportSaved
from cli.render.campaigns import print_campaign, print_campaign_report, print_campaign_started
from cli.render.operations import print_cancelled, print_operations
from cli.render.results import print_report
from cli.service.client import omit_none
from cli.session import JsonOption, report_errors, session_of
from quant.messages.campaign import MOST_SEEDS
from workflows.interface.campaigns import CampaignRequest
from workflows.interface.contract import OperationType

campaign = typer.Typer(no_args_is_help=True, help="Conduct many researches under one budget.")


@campaign.command()
@takes_research
def start(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that no other has.")],
    research: Mapping[str, object],
    each_symbol: Annotated[
        str | None,
        typer.Option(
            metavar="A,B+C", help="A research on each of these; on B and C together where + is."
        ),
    ] = None,
    goals: Annotated[
        list[str] | None,
        typer.Option(metavar="GOAL", help="A research for each goal; may be repeated."),
    ] = None,
    strategies: Annotated[
        str | None, typer.Option(metavar="A,B", help="A research of each strategy file.")
    ] = None,
    designers: Annotated[
        str | None, typer.Option(metavar="A,B", help="`search,llm`: a research by each of them.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="1-20", help="A research with each seed: 1-20, or 1,5,9."),
    ] = None,
    parallel: Annotated[
        int | None,
        typer.Option(
            help="Researches at the same time.",
            show_default=show_default(CampaignRequest, "parallel"),
        ),
    ] = None,
    max_researches: Annotated[
        int | None, typer.Option(help="Budget: researches that begin.")
    ] = None,
    max_trials: Annotated[int | None, typer.Option(help="Budget: trials of all searches.")] = None,
    max_total_cost: Annotated[
        float | None, typer.Option(help="Budget: cost of language models, in US dollars.")
    ] = None,
    max_hours: Annotated[float | None, typer.Option(help="Budget: wall time.")] = None,
    stop_when: Annotated[
        str | None, typer.Option(help="`promising`: the first promising research stops the others.")
    ] = None,
    generations: Annotated[
        int | None,
        typer.Option(
            help="Propose the next generation from the development scores of the one before.",
            show_default=show_default(CampaignRequest, "generations"),
        ),
    ] = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start a research for each combination of the lists. The other options are for all of them."""
    session = session_of(context, as_json)
    budget = omit_none(
        researches=max_researches, trials=max_trials, cost=max_total_cost, hours=max_hours
    )
    request = omit_none(
        name=name,
        symbols=_read_symbols(each_symbol),
        briefs=goals or None,
        strategies=_split(strategies),
        designers=_split(designers),
        seeds=_read_seeds(seeds) if seeds is not None else None,
        research=research,
        parallel=parallel,
        budget=budget or None,
        stop_when=stop_when,
        generations=generations,
    )
    with report_errors(session.as_json):
        started = session.api().start_campaign(request)
    if follow:
        follow_and_exit(session, started.model.operation_id)
        return
    session.answer(started, print_campaign_started)


@campaign.command(name="list")
def list_campaigns(
    context: typer.Context,
    status: StatusFilter = None,
    owner: OwnerFilter = None,
    limit: LimitOption = 50,
    active: Annotated[
        bool, typer.Option("--active", "-a", help="Only campaigns that have not ended.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List campaigns, newest first."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        page = session.api().campaigns(status=status, owner=owner, limit=limit, active_only=active)
    session.answer(page, print_operations)


@campaign.command()
def status(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Show how far a campaign is."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        found = api.campaign(resolve_id(api, operation_id, OperationType.CAMPAIGN))
    session.answer(found, print_campaign)


@campaign.command()
def report(
    context: typer.Context,
    operation_id: OperationArgument,
    output: OutputOption = None,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show every member of a campaign; with --open or --output, as a page."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        meant = resolve_id(api, operation_id, OperationType.CAMPAIGN)
        if output is None and not open_it:
            session.answer(api.campaign_report(meant), print_campaign_report)
            return
        page = api.campaign_page(meant)
        path = save(page, output or Path(f"{meant}.html"), open_it)
    session.answer(Answer.own(ReportSaved(operation_id=meant, report=path)), print_report)


@campaign.command()
def cancel(
    context: typer.Context,
    operation_id: OperationArgument,
    reason: Annotated[
        str | None, typer.Option("--reason", "-r", help="Reason to record with the cancel.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a campaign with all its running members; `ktrdr cancel` cancels one member."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        meant = resolve_id(api, operation_id, OperationType.CAMPAIGN)
        cancelled = api.cancel_campaign(meant, reason=reason)
    session.answer(cancelled, print_cancelled)


def _split(names: str | None) -> list[str] | None:
    """Return the names between commas."""
    return None if names is None else [each.strip() for each in names.split(",")]


def _read_symbols(text: str | None) -> list[str | list[str]] | None:
    """Return symbols, and lists of those that belong together."""
    if text is None:
        return None
    return [each.split("+") if "+" in each else each for each in _split(text) or ()]


def _read_seeds(text: str) -> list[int]:
    """Return the seeds that a list such as `1-20` or `1,5,9` names."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise typer.BadParameter("--seeds takes numbers, such as 1-20 or 1,5,9")
        low, high = int(first), int(last) if dash else int(first)
        if not low <= high or high - low >= MOST_SEEDS:
            raise typer.BadParameter(f"--seeds names no range of at most {MOST_SEEDS:,}: {part}")
        seeds += range(low, high + 1)
    return seeds
