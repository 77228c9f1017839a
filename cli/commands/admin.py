"""`ktrdr admin`: administration of an installation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.scopes import Scope
from cli.answer import Answer
from cli.local_answers import (
    Changes,
    CurrentPayloadKey,
    CurrentVersion,
    Healthy,
    KeyAdded,
    KeyRevoked,
    KnownKey,
    PayloadKeys,
    WorkerVersion,
)
from cli.render.admin import (
    print_changes,
    print_deployed,
    print_health,
    print_key,
    print_keys,
    print_payload_keys,
    print_revoked,
    print_rotated,
    print_versions,
)
from cli.session import JsonOption, Session, report_errors, session_of
from errors import StartupError

if TYPE_CHECKING:
    from api.auth.keys import KeyRing

admin = typer.Typer(no_args_is_help=True, help="Administration.")
keys = typer.Typer(
    no_args_is_help=True, help="Manage API keys in the file that KTRDR_API_KEYS names."
)
admin.add_typer(keys, name="keys")

payload_keys = typer.Typer(
    no_args_is_help=True, help="Manage encryption keys in the file that KTRDR_PAYLOAD_KEYS names."
)
admin.add_typer(payload_keys, name="payload-keys")

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@admin.command()
def setup(
    context: typer.Context,
    retention_hours: Annotated[
        int | None,
        typer.Option("--retention-hours", min=24, help="How long Temporal keeps closed workflows."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare Temporal's namespace and the ledger; safe to repeat."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from cli import installation  # noqa: PLC0415 - slow to load

        changes = installation.run(installation.set_up(session.settings, retention_hours))
    session.answer(Answer.own(Changes(changes=changes)), print_changes)


@admin.command()
def health(context: typer.Context, as_json: JsonOption = False) -> None:
    """Exit with 0 if Temporal and the ledger are reachable from here."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from cli import installation  # noqa: PLC0415 - slow to load

        installation.run(installation.check_health(session.settings))
    session.answer(Answer.own(Healthy()), print_health)


@admin.command()
def deploy(
    context: typer.Context,
    build_id: Annotated[str, typer.Argument(help="KTRDR_BUILD_ID of the new workers.")],
    as_json: JsonOption = False,
) -> None:
    """Start new operations on this version of the workers from now on."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from cli import installation  # noqa: PLC0415 - slow to load

        installation.run(installation.promote(_deployment(session), build_id))
    session.answer(Answer.own(CurrentVersion(current=build_id)), print_deployed)


@admin.command()
def versions(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the versions of the workers; drained ones can be stopped."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from cli import installation  # noqa: PLC0415 - slow to load

        known = installation.run(installation.versions(_deployment(session)))
    listed = [WorkerVersion(**each.model_dump()) for each in known]
    session.answer(Answer.own(listed), print_versions)


def _deployment(session: Session) -> str:
    if session.settings.deployment is None:
        raise StartupError("Set KTRDR_DEPLOYMENT to the value that the workers use.")
    return session.settings.deployment


@keys.command("list")
def list_keys(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the keys, without their secrets."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        known = [
            KnownKey(name=key.name, owner=key.owner, scopes=key.scopes)
            for key in _ring(session).list_all()
        ]
    session.answer(Answer.own(known), print_keys)


@keys.command()
def add(
    context: typer.Context,
    name: NameArgument,
    owner: Annotated[str, typer.Option(help="Owner of operations started with this key.")],
    scope: Annotated[
        list[Scope], typer.Option(help="read, run, cancel or admin; may be repeated.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Create a key and show it once."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        token = _ring(session).add(name, owner, tuple(dict.fromkeys(scope)))
    session.answer(Answer.own(KeyAdded(name=name, key=token)), print_key)


@keys.command()
def revoke(context: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Revoke a key; a running API refuses it at once."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        _ring(session).revoke(name)
    session.answer(Answer.own(KeyRevoked(revoked=name)), print_revoked)


@payload_keys.command()
def rotate(context: typer.Context, as_json: JsonOption = False) -> None:
    """Encrypt with a new key from now on; older payloads stay readable."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from temporal import encryption  # noqa: PLC0415 - slow to load

        key_id = encryption.rotate_key(_payload_keys(session))
    session.answer(Answer.own(CurrentPayloadKey(current=key_id)), print_rotated)


@payload_keys.command("list")
def list_payload_keys(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the key IDs, the current one first."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        from temporal import encryption  # noqa: PLC0415 - slow to load

        known = encryption.open_key_file(_payload_keys(session)).read()
    ids = [known.current, *sorted(set(known.keys) - {known.current})]
    session.answer(Answer.own(PayloadKeys(keys=ids)), print_payload_keys)


def _payload_keys(session: Session) -> Path:
    if session.settings.payload_keys is None:
        raise StartupError(
            "Set KTRDR_PAYLOAD_KEYS to the path of the key file; it is created if missing."
        )
    return session.settings.payload_keys


def _ring(session: Session) -> "KeyRing":
    from api.auth.keys import KeyRing  # noqa: PLC0415 - slow to load

    if session.settings.api_keys is None:
        raise StartupError(
            "Set KTRDR_API_KEYS to the path of the key file; it is created if missing."
        )
    return KeyRing(session.settings.api_keys)
