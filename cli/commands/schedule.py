"""`ktrdr schedule`: recurring researches."""

import re
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console

from api.schedules.schemas import Schedule, ScheduleInfo
from cli.answer import Answer
from cli.commands.options import show_default
from cli.commands.research_options import make_research_labels, takes_research
from cli.local_answers import ScheduleDeleted
from cli.render.schedules import print_deleted, print_schedule, print_schedules
from cli.service.client import omit_none
from cli.session import JsonOption, report_errors, session_of

schedule = typer.Typer(no_args_is_help=True, help="Schedule recurring researches.")

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

NameArgument = Annotated[str, typer.Argument(metavar="SCHEDULE_ID")]


@schedule.command()
@takes_research
def create(
    context: typer.Context,
    schedule_id: NameArgument,
    research: Mapping[str, object],
    cron: Annotated[
        str | None, typer.Option(help="Cron expression of five fields, such as '0 6 * * 1-5'.")
    ] = None,
    every: Annotated[str | None, typer.Option(help="Interval, such as 30m, 6h or 1d.")] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            help="Time zone of --cron, such as Europe/Berlin.",
            show_default=show_default(Schedule, "time_zone"),
        ),
    ] = None,
    overlap: Annotated[
        str | None,
        typer.Option(
            help="If the previous run is still active: skip, buffer_one, buffer_all, "
            "cancel_other, terminate_other or allow_all.",
            show_default=show_default(Schedule, "overlap"),
        ),
    ] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Create it paused.")] = False,
    note: Annotated[str | None, typer.Option(help="Note to show with the schedule.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Schedule a recurring research."""
    session = session_of(context, as_json)
    request = omit_none(
        schedule_id=schedule_id,
        cron=cron,
        interval_seconds=_parse_interval(every) if every is not None else None,
        time_zone=time_zone,
        overlap=overlap,
        paused=paused or None,
        note=note,
        research=research,
    )
    with report_errors(session.as_json):
        created = session.api().create_schedule(request)
    session.answer(created, _print_schedule)


@schedule.command(name="list")
def list_schedules(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the schedules."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        schedules = session.api().schedules()
    session.answer(schedules, print_schedules)


@schedule.command()
def show(context: typer.Context, schedule_id: NameArgument, as_json: JsonOption = False) -> None:
    """Show a schedule with its recent and next runs."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        found = session.api().schedule(schedule_id)
    session.answer(found, _print_schedule)


@schedule.command()
def pause(context: typer.Context, schedule_id: NameArgument, as_json: JsonOption = False) -> None:
    """Pause a schedule."""
    _change(context, schedule_id, "pause", as_json=as_json)


@schedule.command()
def unpause(context: typer.Context, schedule_id: NameArgument, as_json: JsonOption = False) -> None:
    """Unpause a schedule."""
    _change(context, schedule_id, "unpause", as_json=as_json)


@schedule.command()
def trigger(context: typer.Context, schedule_id: NameArgument, as_json: JsonOption = False) -> None:
    """Start a research now, if the overlap policy allows it."""
    _change(context, schedule_id, "trigger", as_json=as_json)


@schedule.command()
def delete(context: typer.Context, schedule_id: NameArgument, as_json: JsonOption = False) -> None:
    """Delete a schedule; running researches continue."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        session.api().delete_schedule(schedule_id)
    session.answer(Answer.own(ScheduleDeleted(schedule_id=schedule_id)), print_deleted)


def _print_schedule(console: Console, schedule: ScheduleInfo) -> None:
    print_schedule(console, schedule, make_research_labels())


def _change(context: typer.Context, schedule_id: str, change: str, *, as_json: bool) -> None:
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        changed = session.api().change_schedule(schedule_id, change)
    session.answer(changed, _print_schedule)


def _parse_interval(every: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,8})([smhd])", every)
    if found is None:
        raise typer.BadParameter("--every takes a number with s, m, h or d, such as 30m")
    return int(found[1]) * _SECONDS[found[2]]
