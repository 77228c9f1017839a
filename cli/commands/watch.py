"""`ktrdr watch`: strategies that are held against the bars that come after their research."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.watches.schemas import Watch
from cli.answer import Answer
from cli.commands.options import LimitOption, OperationArgument
from cli.hints import ktrdr
from cli.input.ids import resolve_id
from cli.render.suggestions import print_suggestions
from cli.render.watches import print_curve, print_watch, print_watches
from cli.session import JsonOption, report_errors, session_of
from workflows.interface.contract import OperationType


class WatchGroup(TyperGroup):
    """What is no command of the group is a research: `ktrdr watch ID` is `ktrdr watch start ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed after `watch`."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["start", *args]
        return list(super().parse_args(ctx, args))


watch = typer.Typer(
    cls=WatchGroup,
    no_args_is_help=True,
    help="Hold a strategy against the bars that come after its research: ktrdr watch OPERATION_ID.",
)

CurveOption = Annotated[bool, typer.Option("--curve", help="Show the bars that were scored.")]


@watch.command()
def start(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Watch the strategy of a research. `start` may be left out."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        started = api.start_watch(resolve_id(api, operation_id, OperationType.RESEARCH))
    session.answer(started, print_watch)
    if not session.as_json:
        print_suggestions(session.stderr, ktrdr("watch", "status", started.model.research_id))


@watch.command(name="list")
def list_watches(
    context: typer.Context,
    owner: Annotated[str | None, typer.Option(help="Only those of this owner.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the watches, the newest first."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        found = session.api().watches(owner=owner, limit=limit)
    session.answer(found, print_watches)


@watch.command()
def status(
    context: typer.Context,
    operation_id: OperationArgument,
    curve: CurveOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show where the strategy of a research stands."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        research_id = resolve_id(api, operation_id, OperationType.RESEARCH)
        if curve:
            session.answer(api.watch_curve(research_id), print_curve)
        else:
            session.answer(api.watch(research_id), print_watch)


@watch.command()
def look(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Let a watch look for new bars at once, such as after an import."""
    _answer(context, operation_id, "look", as_json=as_json)


@watch.command()
def cancel(
    context: typer.Context, operation_id: OperationArgument, as_json: JsonOption = False
) -> None:
    """Cancel a watch. What it has seen is kept; started again, it goes on there."""
    _answer(context, operation_id, "cancel", as_json=as_json)


def _answer(context: typer.Context, operation_id: str, action: str, *, as_json: bool) -> None:
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        research_id = resolve_id(api, operation_id, OperationType.RESEARCH)
        answer: Answer[Watch] = (
            api.cancel_watch(research_id) if action == "cancel" else api.look(research_id)
        )
    session.answer(answer, print_watch)
