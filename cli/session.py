"""What all commands share: the address of the API, the output and the errors."""

import contextlib
import json
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from cli.answer import Answer
from cli.client import Api
from cli.render.console import SafeConsole
from cli.render.tables import UNLIMITED
from errors import KtrdrError
from settings import Settings

T = TypeVar("T")

FAILED = 1
INTERRUPTED = 130

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
OperationArgument = Annotated[str, typer.Argument(metavar="OPERATION_ID")]


def _console() -> Console:
    """Return where answers go. Lines are broken for a terminal only, never in a pipe or a file."""
    console = SafeConsole(highlight=False)
    return console if console.is_terminal else SafeConsole(highlight=False, width=UNLIMITED)


@dataclass(frozen=True)
class Session:
    """The global options, merged with those of the command."""

    settings: Settings
    url: str
    as_json: bool
    at_end: Callable[[Callable[[], None]], object]
    """Takes what is to be called when the command ends."""
    url_given: bool = False
    """Whether an option named the API."""
    # Progress goes to standard error, so that a pipe receives the answer alone.
    console: Console = field(default_factory=_console)
    stderr: Console = field(default_factory=lambda: SafeConsole(stderr=True, highlight=False))

    def api(self) -> Api:
        """Return a client of the chosen API. It is closed when the command ends."""
        api = Api(self.url, self.settings)
        self.at_end(api.close)
        return api

    def answer(self, answer: Answer[T], print_model: Callable[[Console, T], None]) -> None:
        """Print an answer: as JSON for programs, otherwise as `print_model` does for people."""
        if self.as_json:
            self.answer_json(answer.json)
            return
        with report_errors(self.as_json):
            print_model(self.console, answer.model)

    def answer_json(self, answer: Any) -> None:
        """Print JSON for programs."""
        json.dump(answer, sys.stdout, indent=2)
        sys.stdout.write("\n")


def session_of(context: typer.Context, as_json: bool) -> Session:
    """Return the session; `--json` works before and after the command."""
    session: Session = context.obj
    return replace(session, as_json=session.as_json or as_json)


def refuse_unused(context: typer.Context, names: Collection[str], why: str) -> None:
    """Refuse options that would have no effect.

    Args:
        context: The command as it was typed.
        names: Parameters that have no effect now.
        why: Completes "--option has no effect".

    Raises:
        typer.BadParameter: One of them was typed.
    """
    for parameter in context.command.params:
        if parameter.name in names:
            source = context.get_parameter_source(parameter.name)
            if source is not None and source.name == "COMMANDLINE":
                raise typer.BadParameter(f"{parameter.opts[0]} has no effect {why}")


@contextlib.contextmanager
def report_errors(as_json: bool) -> Iterator[None]:
    """Print an expected error in one line or as JSON, and exit with 1."""
    try:
        yield
    except KtrdrError as error:
        if as_json:
            answer = {"status": "error", "reason": error.reason, "message": error.message}
            sys.stdout.write(json.dumps(answer) + "\n")
        else:
            SafeConsole(stderr=True, highlight=False).print(
                f"Error: {error.message}", style="red", markup=False, soft_wrap=True
            )
        raise typer.Exit(FAILED) from None
