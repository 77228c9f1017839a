"""Following one operation to its end, with a progress bar."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cli.client import Api, ApiUnreachable

_SECONDS_BETWEEN_LOOKS = 0.3
_SECONDS_WITHOUT_API = 30.0

ENDED = frozenset({"completed", "failed", "cancelled"})


class PhaseClock:
    """Seconds that a research spent in each phase, as they were seen."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def see(self, phase: str | None) -> None:
        """Count the time since the last look to this phase."""
        now = time.monotonic()
        if phase is not None:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


def follow(api: Api, operation_id: str, console: Console, clock: PhaseClock) -> dict[str, Any]:
    """Show the progress of an operation until it ends, and return it.

    An API that restarts is waited for.
    """
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("queued", total=100.0, step="")
        for operation in _looks(api, operation_id):
            phase = operation["phase"] or operation["operation_type"]
            clock.see(phase)
            progress = operation["progress"]
            bar.update(
                task,
                description=phase,
                completed=progress["percentage"],
                step=progress["current_step"],
            )
            if not console.is_terminal:
                _print_change(console, phase, clock)
    return operation
