"""What all commands share: the address of the API, the output and the errors."""

import contextlib
import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from cli.answer import Answer
from cli.input.labels import Labels
from cli.render.terminal.console import SafeConsole
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import UNLIMITED
from cli.service.client import Api
from cli.service.transport import ApiRefused
from errors import InvalidInput, KtrdrError
from settings import Settings

T = TypeVar("T")

# The exit codes.
FAILED = 1
INTERRUPTED = 130

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _console(*, stderr: bool = False) -> Console:
    """Return where answers go. Lines are broken for a terminal only, never in a pipe or a file."""
    console = SafeConsole(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console


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
    labels: Labels = field(default_factory=lambda: Labels({}))
    """What people typed for the fields of a request."""
    # Progress goes to standard error, so that a pipe receives the answer alone.
    console: Console = field(default_factory=_console)
    stderr: Console = field(default_factory=lambda: _console(stderr=True))

    def api(self, url: str | None = None) -> Api:
        """Return a client of the chosen API, or of another. It is closed when the command ends."""
        api = Api(url or self.url, self.settings, self.labels)
        self.at_end(api.close)
        return api

    def answer(self, answer: Answer[T], print_model: Callable[[Console, T], None]) -> None:
        """Print an answer: as JSON for programs, otherwise as `print_model` does for people."""
        if self.as_json:
            self.answer_json(answer.envelope)
            return
        with report_errors(self.as_json):
            print_model(self.console, answer.model)

    def answer_json(self, envelope: Mapping[str, Any]) -> None:
        """Print an envelope for programs."""
        json.dump(envelope, sys.stdout, indent=2)
        sys.stdout.write("\n")


def session_of(context: typer.Context, as_json: bool) -> Session:
    """Return the session of a command; `--json` works before and after the command."""
    session: Session = context.obj
    labels = Labels.of(context.command.params)
    return replace(session, as_json=session.as_json or as_json, labels=labels)


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
    """Print an expected error for people or as JSON, and exit with 1."""
    try:
        yield
    except KtrdrError as error:
        if as_json:
            sys.stdout.write(json.dumps(make_error_envelope(error)) + "\n")
        else:
            print_error(error)
        raise typer.Exit(FAILED) from None


def make_error_envelope(error: KtrdrError) -> dict[str, Any]:
    """Return what programs get in the place of an answer."""
    problems: list[dict[str, Any]] = []
    if isinstance(error, ApiRefused):
        problems = [each.model_dump(exclude_none=True) for each in error.problems]
    elif isinstance(error, InvalidInput):
        problems = [
            {name: value for name, value in each._asdict().items() if value is not None}
            for each in error.problems
        ]
    return {
        "success": False,
        "status": "error",
        "reason": error.reason,
        "message": error.message,
        "errors": problems,
    }


def print_error(error: KtrdrError) -> None:
    """Print an error for people: one sentence for each problem, each in a line of its own."""
    console = _console(stderr=True)
    sentences = error.sentences if isinstance(error, ApiRefused) else [error.message]
    for sentence in sentences:
        print_prose(console, f"Error: {sentence}", style="red")
