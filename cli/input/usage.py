"""Usage errors of the command: text for people, JSON for programs that ask for JSON."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.session import make_error_envelope
from errors import FieldProblem, InvalidInput

_JSON = "--json"
_END_OF_OPTIONS = "--"


class ReportingGroup(TyperGroup):
    """A group of commands that reports usage errors as JSON if `--json` was typed anywhere."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that was typed."""
        typed = sys.argv[1:] if args is None else list(args)
        as_json = standalone_mode and _asks_for_json(typed)
        try:
            result = super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode and not as_json,
                windows_expand_args,
                **extra,
            )
        except TyperException as error:
            if not as_json:
                raise
            sys.stdout.write(json.dumps(make_error_envelope(_translate(error))) + "\n")
            sys.exit(error.exit_code)
        if as_json:
            # Otherwise the exit code is all that is left of a `typer.Exit`.
            sys.exit(result or 0)
        return result


def _asks_for_json(typed: Sequence[str]) -> bool:
    """Whether `--json` was typed. With a usage error nothing knows what it was meant for."""
    end = typed.index(_END_OF_OPTIONS) if _END_OF_OPTIONS in typed else len(typed)
    return _JSON in typed[:end]


def _translate(error: TyperException) -> InvalidInput:
    """Return a usage error as one of ours. Its field is the parameter, if it is about one."""
    message = error.format_message()
    parameter = getattr(error, "param", None)
    name = getattr(error, "option_name", None) or (parameter and parameter.name)
    problems = [FieldProblem(name.lstrip("-"), message)] if name else []
    return InvalidInput(message, problems=problems)
