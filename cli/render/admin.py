"""How answers of `ktrdr admin` look in a terminal."""

from rich.console import Console

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
from cli.render.terminal.tables import print_rows


def print_keys(console: Console, keys: list[KnownKey]) -> None:
    """Print API keys as a table."""
    rows = ((key.name, key.owner, ", ".join(key.scopes)) for key in keys)
    print_rows(console, ("Name", "Owner", "Scopes"), rows)


def print_key(console: Console, added: KeyAdded) -> None:
    """Print a new key."""
    console.print(f"{added.key}\n\nIt is not stored and cannot be shown again.", markup=False)


def print_revoked(console: Console, answer: KeyRevoked) -> None:
    """Print which key was revoked."""
    console.print(f"{answer.revoked} is revoked.", markup=False)


def print_changes(console: Console, answer: Changes) -> None:
    """Print what was changed."""
    for change in answer.changes or ["Nothing to do."]:
        console.print(change, markup=False)


def print_health(console: Console, _: Healthy) -> None:
    """Print that the system is healthy."""
    console.print("Temporal and the ledger are reachable.")


def print_rotated(console: Console, answer: CurrentPayloadKey) -> None:
    """Print which key encrypts from now on."""
    console.print(f"New payloads are encrypted with key {answer.current}.", markup=False)


def print_payload_keys(console: Console, answer: PayloadKeys) -> None:
    """Print the IDs of the keys."""
    for place, key_id in enumerate(answer.keys):
        console.print(f"{key_id}{' (current)' if place == 0 else ''}", markup=False)


def print_deployed(console: Console, answer: CurrentVersion) -> None:
    """Print which version new operations start on."""
    console.print(f"New operations start on version {answer.current}.", markup=False)


def print_versions(console: Console, versions: list[WorkerVersion]) -> None:
    """Print the versions of the workers."""
    rows = (
        (
            version.build_id,
            "current" if version.current else "drained" if version.drained else "running",
        )
        for version in versions
    )
    print_rows(console, ("Version", ""), rows)
