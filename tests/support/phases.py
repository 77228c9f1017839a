"""How a test gets a research into a phase, and keeps it there long enough to interfere."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace
from typing import Any

import psutil
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.outside.temporal_server import activity_started, runs
from tests.support.processes import compute_processes
from tests.support.quant.data import MANY, MANY_TIMEFRAME
from workflows.interface.contract import OperationType, Phase
from workflows.interface.ids import get_step_name, make_step_id
from workflows.interface.messages import ResearchInput, ResearchRequest, ResearchResult
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

_SECONDS_UNTIL_KILLED = 0.3

QUICK = ResearchRequest(strategy="quick", seed=7, bypass_gates=True)
"""A research that completes all steps within seconds."""

_MANY_BARS = ResearchRequest(
    symbol=MANY, timeframe=MANY_TIMEFRAME, strategy="quick", seed=7, bypass_gates=True
)


@dataclass(frozen=True)
class Stay:
    """A research that stays long in one phase, and the activity that computes meanwhile."""

    phase: Phase
    step: OperationType
    activity: str
    request: ResearchRequest
    in_child_workflow: bool = False
    held: bool = False
    """Whether the compute would end too soon, and is suspended until it is killed."""

    @property
    def step_name(self) -> str:
        """Last part of the step's operation id."""
        return get_step_name(self.step)

    def working(self, client: Client, research_id: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow whose activity computes."""
        own = make_step_id(research_id, self.step) if self.in_child_workflow else research_id
        return client.get_workflow_handle(own)

    async def begin(
        self, client: Client, worker_pid: int | None = None
    ) -> WorkflowHandle[Research, ResearchResult]:
        """Start a research, and return it when its compute in this phase is running.

        Args:
            worker_pid: The worker, if it is not this process.
        """
        handle = await start(client, self.request)
        await self.begun(client, handle.id, worker_pid)
        return handle

    async def begun(self, client: Client, research_id: str, worker_pid: int | None = None) -> None:
        """Wait until the compute of a research in this phase is running."""
        working = self.working(client, research_id)
        if self.held:
            await _held(working, self.activity, worker_pid)
        else:
            await activity_started(working, self.activity)


STAYS = [
    Stay(
        Phase.DESIGNING,
        OperationType.DESIGN,
        "design",
        ResearchRequest(trials=5000, seed=7),
        held=True,
    ),
    Stay(
        Phase.TRAINING,
        OperationType.TRAINING,
        "train",
        ResearchRequest(strategy="slow", seed=7),
        in_child_workflow=True,
    ),
    Stay(
        Phase.BACKTESTING,
        OperationType.BACKTEST,
        "backtest",
        _MANY_BARS,
        in_child_workflow=True,
        held=True,
    ),
    Stay(Phase.ASSESSING, OperationType.ASSESSMENT, "assessment", _MANY_BARS, held=True),
]
IN_DESIGN, IN_TRAINING, IN_BACKTEST, IN_ASSESSMENT = STAYS

IN_SMALL_DESIGN = replace(IN_DESIGN, request=ResearchRequest(trials=150, seed=7))
"""One activity, and not slices that follow one another."""


async def start(
    client: Client, request: ResearchRequest
) -> WorkflowHandle[Research, ResearchResult]:
    """Start a research under an id of its own."""
    return await client.start_workflow(
        Research.run, ResearchInput.of(request), id=new_id(), task_queue=RESEARCH_QUEUE
    )


async def queued(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the next step of a research waits for a slot."""

    async def look() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        return [each.state for each in pending] == [scheduled]

    await assert_eventually(look, within=PATIENCE)


async def _held(working: WorkflowHandle[Any, Any], activity: str, worker_pid: int | None) -> None:
    """Suspend the process that computes for this activity as soon as there is one.

    Suspended, it can be killed as ever. Each process is stopped before anybody asks what it works
    for, since it may have ended before there is an answer.
    """
    others: set[psutil.Process] = set()

    async def look() -> bool:
        # A thread, since the event loop of a worker may be busy for longer than a process lives.
        process = await asyncio.to_thread(_suspend_next, others, worker_pid)
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            if await _begun(working, activity) and not await _is_done(process):
                return True
            process.resume()
        others.add(process)
        return False

    await assert_eventually(look, within=PATIENCE)


def _suspend_next(
    others: set[psutil.Process], worker_pid: int | None = None
) -> psutil.Process | None:
    """Suspend a compute process that is none of these, if one comes soon. Some live 0.1 s."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        for process in set(compute_processes(worker_pid)) - others:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
                return process
        time.sleep(0.005)
    return None


async def _is_done(process: psutil.Process) -> bool:
    """Whether a process has sent its result. The worker kills it then."""
    with contextlib.suppress(psutil.TimeoutExpired):
        await asyncio.to_thread(process.wait, _SECONDS_UNTIL_KILLED)
        return True
    return False


async def _begun(working: WorkflowHandle[Any, Any], activity: str) -> bool:
    with contextlib.suppress(RPCError):  # A child that has not begun.
        return runs(await working.describe(), activity)
    return False
