"""Commands that take several ids: each is done, whatever becomes of the others."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import typer
from rich.console import Console

from cli.answer import Answer
from cli.session import FAILED, Session, make_error_envelope, print_error, report_errors
from errors import KtrdrError

T = TypeVar("T")


def answer_each(
    session: Session,
    given: Sequence[str],
    ask: Callable[[str], Answer[T]],
    print_model: Callable[[Console, T], None],
) -> None:
    """Answer for each id; for one alone, as a command that takes one does.

    For programs, `data` is a list of the answers, and `errors` names each id that was refused.

    Raises:
        typer.Exit: With 1, at the end, if one was refused.
    """
    ids = list(dict.fromkeys(given))
    if len(ids) == 1:
        with report_errors(session.as_json):
            answer = ask(ids[0])
        session.answer(answer, print_model)
        return
    answers: list[Any] = []
    refused: list[tuple[str, KtrdrError]] = []
    for each in ids:
        try:
            answer = ask(each)
            if session.as_json:
                answers.append(answer.json)
            else:
                print_model(session.console, answer.model)
        except KtrdrError as error:
            refused.append((each, error))
            if not session.as_json:
                print_error(error)
    if session.as_json:
        session.answer_json(_make_envelope(answers, refused))
    if refused:
        raise typer.Exit(FAILED)


def _make_envelope(answers: list[Any], refused: Sequence[tuple[str, KtrdrError]]) -> dict[str, Any]:
    if not refused:
        return {"success": True, "data": answers}
    errors = [
        {"operation_id": each, "reason": error.reason, "message": error.message}
        for each, error in refused
    ]
    return {**make_error_envelope(refused[0][1]), "data": answers, "errors": errors}
