"""The sandbox of the workflows, with an eye on slow tasks and on workflows that refuse to stop.

A worker cannot stop before it has evicted every workflow from its cache. This runner names those
that refuse. It also times every workflow task, because the SDK fails a task after two seconds.
"""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

_log = logging.getLogger(__name__)

# A quarter of the time after which the SDK fails a workflow task.
SLOW_TASK_SECONDS: Final = 0.5

OnTask = Callable[[str, float], None]


@dataclass(frozen=True)
class Refusal:
    """A workflow that keeps its worker from stopping."""

    workflow_id: str
    workflow_type: str
    stack: str


def warn_of_slow(workflow_type: str, seconds: float) -> None:
    """Log a task that comes near the limit of the SDK."""
    if seconds > SLOW_TASK_SECONDS:
        _log.warning("a workflow task of %s took %.2f s", workflow_type, seconds)


@dataclass(frozen=True)
class WatchedRunner(SandboxedWorkflowRunner):
    """Runs workflows in the sandbox. One runner may serve several workers."""

    on_task: OnTask = warn_of_slow
    """Takes the type of the workflow and how many seconds its task took."""

    _cache: dict[str, "_Watched"] = field(default_factory=dict, init=False)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Load the workflow. The time counts as part of its first task."""
        began = time.perf_counter()
        instance = super().create_instance(det)
        return _Watched(instance, self._cache, self.on_task, time.perf_counter() - began)

    def refusals(self) -> Iterator[Refusal]:
        """Yield the workflows whose task is running, and those that could not be evicted."""
        frames = sys._current_frames()
        for each in list(self._cache.values()):
            thread = each.working_thread
            if thread in frames:
                stack = "".join(traceback.format_stack(frames[thread]))
            elif each.eviction_error is not None:
                stack = str(each.eviction_error)
            else:
                continue
            info = each.get_info()
            yield Refusal(info.workflow_id, info.workflow_type, stack)


class _Watched(WorkflowInstance):
    """A workflow in the cache of a worker.

    If a task takes two seconds, as on an overloaded machine, the SDK fails it and raises an
    exception in its thread. That may hit asyncio in the middle of a step, and then the workflow can
    never be evicted. So this class does not tell the SDK the thread. The task ends by itself, and
    the eviction waits for that.
    """

    def __init__(
        self,
        instance: WorkflowInstance,
        cached: dict[str, "_Watched"],
        on_task: OnTask,
        loading_seconds: float,
    ) -> None:
        self._instance = instance
        self._cache = cached
        self._on_task = on_task
        self._loading_seconds = loading_seconds
        self._one_at_a_time = threading.Lock()
        self.eviction_error: Exception | None = None

    @property
    def working_thread(self) -> int | None:
        """The thread in which its task runs, or None."""
        return self._instance.get_thread_id()

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run a workflow task, or evict the workflow."""
        with self._one_at_a_time:
            self._cache[act.run_id] = self
            began = time.perf_counter()
            try:
                completion = self._instance.activate(act)
            except Exception as error:
                self.eviction_error = error
                raise
            finally:
                seconds = time.perf_counter() - began + self._loading_seconds
                self._loading_seconds = 0.0
                self._on_task(self.get_info().workflow_type, seconds)
            if any(job.HasField("remove_from_cache") for job in act.jobs):
                del self._cache[act.run_id]
            return completion

    def get_info(self) -> Info:
        """Return what Temporal says about the run."""
        return self._instance.get_info()

    def get_serialization_context(self, command_info: Any) -> None:
        """Return None: our converters treat all payloads alike.

        The SDK asks for every payload, a hundred times in a research. To ask the workflow would be
        to enter the sandbox each time.
        """

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002 - see below
        """Return no target: payloads are stored nowhere else."""
        return StorageDriverStoreContext(target=None)
