"""The progress of a step, and how a step reports it."""

from collections.abc import Callable
from typing import ClassVar, Final

from pydantic import Field

from quant.messages.base import FrozenModel

# In the context of the progress of a step that a worker has taken, and that does not compute yet.
WAITS_FOR: Final = "waits_for"


class Progress(FrozenModel):
    """Progress of a step, sent as the heartbeat details of its activity."""

    percentage: float = Field(0.0, ge=0.0, le=100.0)
    current_step: str = ""
    steps_completed: int = 0
    steps_total: int = 0
    items_processed: int = 0
    items_total: int | None = None
    current_item: str | None = None
    context: dict[str, float | int | str] = Field(default_factory=dict)


class Ending(FrozenModel):
    """Where an operation was when it failed or was cancelled."""

    memo_key: ClassVar[str] = "ending"

    progress: Progress
    cancellation_reason: str | None = None


ReportProgress = Callable[[Progress], None]


def ignore_report(_: object) -> None:
    """Drop a report, for a caller that needs none."""


class Stages:
    """Reports the named stages of a step one after the other."""

    def __init__(self, report: ReportProgress, *names: str) -> None:
        self._report = report
        self._names = names
        self._started = 0

    def start(self) -> None:
        """Report that the next stage begins."""
        self._send(self._started, self._names[self._started])
        self._started += 1

    def finish(self) -> None:
        """Report that all stages are done."""
        self._send(len(self._names), "done")

    def _send(self, completed: int, current: str) -> None:
        self._report(
            Progress(
                percentage=100.0 * completed / len(self._names),
                current_step=current,
                steps_completed=completed,
                steps_total=len(self._names),
            )
        )
