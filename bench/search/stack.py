"""The stack under measurement, with as many worker processes as needed."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from bench.processes import run_beside
from bench.scaling import SOURCE, write_bars
from bench.temporary import ResearchHandle, connected_stack, temporary_settings
from cli.stack import Stack
from quant.messages.artifacts import Artifact
from quant.messages.record.trials import TRIAL_LIST, Trial
from quant.messages.search import SliceResult
from quant.messages.steps import DesignResult
from settings import Settings, load_settings
from storage.artifacts import ArtifactStore
from workflows.interface.contract import OperationType, Phase
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest
from workflows.policies import COMPUTE_QUEUE
from workflows.research import Research

REAL = (str(Path(__file__).resolve().parents[2] / "worker.py"),)
BARS = 500_000
TRIALS = 100
LARGE = ResearchRequest(
    symbol=SOURCE.symbol, timeframe=SOURCE.timeframe, trials=TRIALS, seed=1, bypass_gates=True
)

_LONGEST_START_SECONDS = 60.0
_LONGEST_DESIGN_SECONDS = 3600.0
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Running:
    """A running stack, and its further workers."""

    settings: Settings
    client: Client
    stack: Stack
    worker: Sequence[str]

    @contextlib.contextmanager
    def further_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run one more worker process."""
        with (self.settings.home / "worker.log").open("ab") as log:
            environment = os.environ | {
                "TEMPORAL_ADDRESS": f"127.0.0.1:{self.settings.temporal_port}"
            }
            command = [sys.executable, *self.worker]
            with run_beside(command, stdout=log, stderr=log, env=environment) as process:
                yield process

    async def wait_for_workers(self, number: int) -> None:
        """Wait until so many worker processes ask for work."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=COMPUTE_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        async with asyncio.timeout(_LONGEST_START_SECONDS):
            while True:
                found = await self.client.workflow_service.describe_task_queue(request)
                if len({each.identity for each in found.pollers}) >= number:
                    return
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


@contextlib.asynccontextmanager
async def running_stack(
    slots: int, *, worker: Sequence[str] = REAL, bars: int = BARS
) -> AsyncIterator[Running]:
    """Run the embedded stack with bars of a user, and connect to it.

    Args:
        slots: Slots of each worker process.
        worker: What Python runs as a worker.
        bars: Number of bars; 0 for none.
    """
    with temporary_settings():
        os.environ["KTRDR_COMPUTE_SLOTS"] = str(slots)
        settings = load_settings()
        settings.data_dir.mkdir(parents=True)
        if bars:
            write_bars(bars, settings.data_dir)
        async with connected_stack(settings, worker=worker) as (stack, client):
            yield Running(settings, client, stack, worker)


async def finish_design(research: ResearchHandle) -> DesignResult:
    """Wait until a research has been designed, and cancel the steps that follow.

    Raises:
        WorkflowFailureError: The design has failed.
    """
    async with asyncio.timeout(_LONGEST_DESIGN_SECONDS):
        while (design := (await research.query(Research.finished_steps)).design) is None:
            if (await research.describe()).status is not WorkflowExecutionStatus.RUNNING:
                await research.result()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        await research.cancel()
        with contextlib.suppress(WorkflowFailureError):
            await research.result()
    return design


async def measure_design(research: ResearchHandle) -> float:
    """Return how many seconds a research was designing that has been designed."""
    info = await research.query(Research.describe)
    began = {each.phase: each.started_at for each in info.phases}
    return (began[Phase.TRAINING] - began[Phase.DESIGNING]).total_seconds()


async def read_slices(research: ResearchHandle) -> list[SliceResult]:
    """Return the results of all slices of a research."""
    events = {event.event_id: event for event in (await research.fetch_history()).events}
    converter = research._client.data_converter
    results = []
    for event in events.values():
        done = event.activity_task_completed_event_attributes
        if _scheduled_type(events, done.scheduled_event_id) == "score_slice":
            results += await converter.decode(done.result.payloads, [SliceResult])
    return results


def _scheduled_type(events: Mapping[int, HistoryEvent], event_id: int) -> str:
    event = events.get(event_id)
    if event is None:
        return ""
    return event.activity_task_scheduled_event_attributes.activity_type.name


def read_trials(settings: Settings, research_id: str) -> list[Trial]:
    """Return the trials that a research has made."""
    design = ArtifactStore(settings.artifacts_url).open(
        make_step_id(research_id, OperationType.DESIGN)
    )
    return TRIAL_LIST.validate_json(design.read(Artifact.TRIALS) or b"[]")
