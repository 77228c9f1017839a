"""Following one operation to its end, with a progress bar."""

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cli.client import Api, ApiUnreachable

_SECONDS_BETWEEN_LOOKS = 0.3
_SECONDS_WITHOUT_API = 60.0

ENDED = frozenset({"completed", "failed", "cancelled"})


class PhaseClock:
    """Seconds that an operation spent in each phase, as they were seen."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def see(self, phase: str) -> None:
        """Count the time since the last look for this phase."""
        now = time.monotonic()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


def follow(api: Api, operation_id: str, console: Console, clock: PhaseClock) -> dict[str, Any]:
    """Show the progress of an operation until it ends, and return it.

    Raises:
        ApiRefused: there is no such operation.
        ApiUnreachable: the API stays away for longer than a restart takes.
    """
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}", markup=False),
    )
    operation: dict[str, Any] = {}
    phase_shown = None
    # Without a terminal there is no bar to redraw: one line per phase instead.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=100.0, step="")
        for operation in _looks(api, operation_id):
            phase = operation["phase"] or operation["status"]
            step = operation["progress"]["current_step"]
            clock.see(phase)
            bars.update(
                bar,
                description=phase,
                completed=operation["progress"]["percentage"],
                step=step,
            )
            if phase != phase_shown and not console.is_terminal:
                console.print(f"{phase}: {step}", markup=False)
            phase_shown = phase
    return operation


def _looks(api: Api, operation_id: str) -> Iterator[dict[str, Any]]:
    """Look at an operation until it has ended; the last look shows the end."""
    unreachable_since: float | None = None
    while True:
        try:
            operation = api.operation(operation_id)
        except ApiUnreachable:
            now = time.monotonic()
            unreachable_since = unreachable_since or now
            if now - unreachable_since > _SECONDS_WITHOUT_API:
                raise
        else:
            unreachable_since = None
            yield operation
            if operation["status"] in ENDED:
                return
        time.sleep(_SECONDS_BETWEEN_LOOKS)
