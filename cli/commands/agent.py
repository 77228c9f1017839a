"""`ktrdr agent status`, `ktrdr workers`: active researches and workers."""

import typer

from cli.render.agent import print_status, print_workers
from cli.session import JsonOption, report_errors, session_of

agent = typer.Typer(no_args_is_help=True, help="Show active researches and workers.")


@agent.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show active researches, workers and capacity."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        answer = session.api().agent_status()
    session.answer(answer, print_status)


def workers(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the workers that Temporal knows of."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        answer = session.api().workers()
    session.answer(answer, print_workers)
