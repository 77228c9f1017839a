"""`ktrdr admin`: for the one who runs the system."""

from typing import Annotated

import typer

from api.keys import KeyRing, Scope
from cli import render_admin
from cli.session import JsonOption, Session, refusals, session_of
from errors import StartupError

admin = typer.Typer(no_args_is_help=True, help="For the one who runs the system.")
keys = typer.Typer(no_args_is_help=True, help="API keys, in the file that KTRDR_API_KEYS names.")
admin.add_typer(keys, name="keys")

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@keys.command("list")
def list_keys(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the keys, without what is secret of them."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        known = [key.model_dump(exclude={"sha256"}, mode="json") for key in _ring(session).all()]
    session.answer(known, render_admin.print_keys)


@keys.command()
def add(
    context: typer.Context,
    name: NameArgument,
    owner: Annotated[str, typer.Option(help="To whom belongs what is started with it.")],
    scope: Annotated[list[Scope], typer.Option(help="read, run, cancel or admin; repeat it.")],
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, this once."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        token = _ring(session).add(name, owner, tuple(dict.fromkeys(scope)))
    session.answer({"name": name, "key": token}, render_admin.print_key)


@keys.command()
def revoke(context: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Forget a key; an API that runs refuses it from now on."""
    session = session_of(context, as_json)
    with refusals(session.as_json):
        _ring(session).revoke(name)
    session.answer({"revoked": name}, render_admin.print_revoked)


def _ring(session: Session) -> KeyRing:
    if session.settings.api_keys is None:
        raise StartupError("Set KTRDR_API_KEYS to the file of the keys; it is made when missing.")
    return KeyRing(session.settings.api_keys)
