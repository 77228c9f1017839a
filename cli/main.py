"""The `ktrdr` command: what the REST API does, and the embedded stack."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.answer import Answer
from cli.commands import (
    admin,
    agent,
    artifacts,
    campaign,
    data,
    experiments,
    ledger,
    operations,
    research,
    results,
    schedule,
    steps,
    strategies,
    watch,
)
from cli.hints import ktrdr
from cli.input.usage import ReportingGroup
from cli.links import keep_working
from cli.render.operations import print_addresses
from cli.render.suggestions import print_suggestions
from cli.session import JsonOption, Session, report_errors, session_of
from cli.signals import interrupted_by_signals
from cli.stack import Stack
from settings import load_settings

# These commands ask no API, so its address would have no effect.
_WITHOUT_API = frozenset({"admin", "up"})

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for command in (
    research.research,
    operations.status,
    operations.ops,
    operations.follow,
    operations.cancel,
    operations.resume,
    operations.retry,
    results.children,
    results.results,
    results.metrics,
    results.report,
    results.compare,
    steps.train,
    steps.backtest,
    agent.workers,
    experiments.experiments,
    experiments.leaderboard,
    experiments.markets,
    experiments.note,
    experiments.tag,
    experiments.reproduce,
    experiments.hypotheses,
    experiments.budget,
    strategies.strategies,
    strategies.validate,
):
    app.command()(command)
app.add_typer(admin.admin, name="admin")
app.add_typer(agent.agent, name="agent")
app.add_typer(artifacts.artifacts, name="artifacts")
app.add_typer(campaign.campaign, name="campaign")
app.add_typer(data.data, name="data")
app.add_typer(ledger.ledger, name="ledger")
app.add_typer(schedule.schedule, name="schedule")
app.add_typer(watch.watch, name="watch")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ktrdr {version('ktrdr')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    as_json: JsonOption = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            "-u",
            help="Address of the API.",
            show_default="KTRDR_API_URL, or http://127.0.0.1:8000",
        ),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port of a local API.")] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Durable, visible and individually cancellable strategy research."""
    context.with_resource(interrupted_by_signals())
    with report_errors(as_json):
        settings = load_settings()
    if (url or port) and context.invoked_subcommand in _WITHOUT_API:
        raise typer.BadParameter(f"{context.invoked_subcommand} asks no API; omit --url and --port")
    # An option wins over the environment, which the settings were read from.
    address = url or (f"http://localhost:{port}" if port else settings.api_url)
    url_given = url is not None or port is not None
    context.obj = Session(settings, address, as_json, context.call_on_close, url_given)


@app.command()
def up(context: typer.Context, as_json: JsonOption = False) -> None:
    """Run Temporal, worker and API on this machine until Ctrl-C; state is kept."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        try:
            with Stack(session.settings) as stack:
                addresses = keep_working(stack.addresses())
                session.answer(Answer.own(addresses), print_addresses)
                if not session.as_json:
                    session.stderr.print("Running. Ctrl-C stops it; state is kept.")
                    print_suggestions(session.stderr, ktrdr("research", "--follow"))
                sys.stdout.flush()
                stack.wait()
        except KeyboardInterrupt:
            session.stderr.print("Stopped.")
