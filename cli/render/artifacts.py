"""How artifacts look in a terminal."""

from rich.console import Console

from api.artifacts.schemas import DeletedArtifacts, OldArtifactsDeleted, StoredArtifacts
from cli.render.terminal.tables import format_time, print_rows
from quant.wording import format_count

_KILO = 1000


def print_artifacts(console: Console, stored: StoredArtifacts) -> None:
    """Print what an operation has stored as a table."""
    if stored.artifacts:
        print_rows(
            console,
            ("Of", "Artifact", "Size", "Written"),
            (
                (
                    each.operation_id,
                    each.name,
                    format_size(each.size_bytes),
                    format_time(each.modified_at),
                )
                for each in stored.artifacts
            ),
            title=1,
        )
    console.print(_count(len(stored.artifacts), stored.size_bytes))
    if stored.deleted_at is not None:
        console.print(f"Deleted at {format_time(stored.deleted_at)}", markup=False)


def print_deleted(console: Console, deleted: DeletedArtifacts) -> None:
    """Print what was deleted of an operation."""
    what = (
        f"deleted {_count(deleted.artifacts, deleted.size_bytes)}"
        if deleted.artifacts
        else f"nothing is stored since {format_time(deleted.deleted_at)}"
    )
    console.print(f"{deleted.operation_id}: {what}", markup=False, soft_wrap=True)


def print_old_deleted(console: Console, answer: OldArtifactsDeleted) -> None:
    """Print what was deleted by age, or would be, and what was kept."""
    for operation_id in answer.operation_ids:
        console.print(operation_id, markup=False, soft_wrap=True)
    for each in answer.kept:
        console.print(f"Kept: {each.message}", markup=False, soft_wrap=True)
    console.print(say_what_is_old(answer), markup=False, soft_wrap=True)


def say_what_is_old(answer: OldArtifactsDeleted) -> str:
    """Return how much was deleted, or would be."""
    operations = format_count(len(answer.operation_ids), "operation")
    verb = "Would delete" if answer.dry_run else "Deleted"
    more = "; there is more, repeat the command" if answer.more and answer.operation_ids else ""
    return f"{verb} {_count(answer.artifacts, answer.size_bytes)} of {operations}{more}."


def format_size(size: float) -> str:
    """Return a number of bytes with a unit: `812 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < _KILO:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _KILO
    return f"{size:,.1f} GB"


def _count(artifacts: int, size: int) -> str:
    return f"{format_count(artifacts, 'artifact')}, {format_size(size)}"
