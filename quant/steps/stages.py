"""Progress of a step that has a few named stages."""

from quant.messages.steps import Progress, ReportProgress


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
