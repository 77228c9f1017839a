"""Follows one operation to its end, with a progress bar for it and one for its running step."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from cli.answer import Answer
from cli.service.client import Api
from cli.service.transport import ApiUnreachable
from quant.messages.progress import Progress as StepProgress
from workflows.interface.contract import OperationInfo

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
_SECONDS_WITHOUT_API = 60.0


def follow_to_end(api: Api, operation_id: str, console: Console) -> Answer[OperationInfo]:
    """Show the progress of an operation until it ends, and return it.

    Raises:
        ApiRefused: There is no such operation.
        ApiUnreachable: There is no API, or it is unavailable for longer than a restart takes.
        UnreadableAnswer: The API describes the operation in another form.
    """
    phase_shown = None
    # Bars are for a terminal. A pipe or a file gets one line for each phase.
    with make_bars(console) as bars:
        own = bars.add_task("", total=100.0, step="")
        nested = bars.add_task("", total=100.0, step="", visible=False)
        for state in _states(api, operation_id):
            operation = state.model
            phase = operation.phase or operation.status
            _show(bars, own, phase, operation.progress)
            child = next((child for child in operation.children if child.progress), None)
            if child and child.progress:
                name = child.operation_id.rpartition(".")[2]
                _show(bars, nested, f"  {name}", child.progress)
            bars.update(nested, visible=child is not None)
            step = operation.progress.current_step
            if phase != phase_shown and step and not console.is_terminal:
                console.print(f"{phase}: {step}", markup=False)
            phase_shown = phase
    return state


def make_bars(console: Console) -> Progress:
    """Return bars that fill a terminal of any width: what is cut last is the text of the step."""
    return Progress(
        TextColumn("{task.description:<12}", markup=False, table_column=Column(no_wrap=True)),
        # A fifth of what the figures leave, and no bar at all where that is nothing.
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TaskProgressColumn(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
        TextColumn(
            "{task.fields[step]}",
            markup=False,
            table_column=Column(ratio=4, no_wrap=True, overflow="ellipsis"),
        ),
        console=console,
        disable=not console.is_terminal,
        expand=True,
    )


def _show(bars: Progress, bar: TaskID, name: str, progress: StepProgress) -> None:
    bars.update(bar, description=name, completed=progress.percentage, step=progress.current_step)


def _states(api: Api, operation_id: str) -> Iterator[Answer[OperationInfo]]:
    """Yield the states of an operation up to its end. Waits for an API that restarts."""
    last_event_id = None
    heard_at = time.monotonic()
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            for event in api.events(operation_id, last_event_id):
                heard_at, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
                last_event_id = event.id
                yield Answer.received(event.json(), OperationInfo)
                if event.event == "end":
                    return
        except ApiUnreachable:
            if not api.has_answered or time.monotonic() - heard_at > _SECONDS_WITHOUT_API:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
