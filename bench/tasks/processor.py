"""What the tasks of a research cost in processor time, whatever else the machine does.

A recorded research is replayed: the same tasks, without a server, and each in a thread whose
processor time is its own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import Info

from bench.figures import Figure
from temporal.converter import data_converter
from temporal.workflow_runner import WatchedRunner
from workflows.backtest import Backtest
from workflows.research import Research
from workflows.training import Training

_HISTORIES: Final = Path(__file__).parents[2] / "tests" / "replay" / "histories"
_RECORDED: Final = "research-completed"
_REPETITIONS: Final = 15
_MOST_MILLISECONDS: Final = 5.0


class _Timed(WorkflowInstance):
    """A workflow that notes the processor time of its tasks, the first with that of its loading."""

    def __init__(self, instance: WorkflowInstance, loading: float, seconds: list[float]) -> None:
        self._instance = instance
        self._loading = loading
        self._seconds = seconds

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        began = time.thread_time()
        completion = self._instance.activate(act)
        if not any(job.HasField("remove_from_cache") for job in act.jobs):
            self._seconds.append(time.thread_time() - began + self._loading)
            self._loading = 0.0
        return completion

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)


class _TimingRunner(WatchedRunner):
    """Runs workflows as a worker does. Each has its list of seconds, one for each task."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "seconds", [])

    seconds: list[list[float]]

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        began = time.thread_time()
        instance = super().create_instance(det)
        self.seconds.append([])
        return _Timed(instance, time.thread_time() - began, self.seconds[-1])


async def measure_processor_time() -> list[Figure]:
    """Replay a research with its children, and return what its tasks cost."""
    histories = list(_read_histories())
    tasks: list[list[float]] = []
    for repetition in range(_REPETITIONS + 1):
        for history in histories:
            runner = _TimingRunner()
            replayer = Replayer(
                workflows=[Research, Training, Backtest],
                workflow_runner=runner,
                data_converter=data_converter,
            )
            await replayer.replay_workflow(history)
            if repetition:  # The first one pays for what is loaded only once.
                tasks += [seconds for seconds in runner.seconds if seconds]
    first = [1000.0 * each[0] for each in tasks]
    later = [1000.0 * seconds for each in tasks for seconds in each[1:]]
    return [
        Figure(
            "processor time of the first task of a workflow, median",
            "ms",
            median(first),
            _MOST_MILLISECONDS,
        ),
        Figure("of each further task, median", "ms", median(later), _MOST_MILLISECONDS),
        Figure(
            "of all tasks of a research and its children",
            "ms",
            sum([*first, *later]) / _REPETITIONS,
        ),
        Figure("tasks of a research and its children", "", len([*first, *later]) / _REPETITIONS),
    ]


def _read_histories() -> Iterator[WorkflowHistory]:
    for file in sorted(_HISTORIES.glob(f"{_RECORDED}*.json")):
        yield WorkflowHistory.from_json(file.stem, file.read_text())
