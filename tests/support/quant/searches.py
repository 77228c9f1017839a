"""A search that is cut finely, and what it finds without being cut."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

from psutil import NoSuchProcess
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import PauseActivityRequest
from temporalio.client import Client, WorkflowHandle

from quant.messages.artifacts import Artifact
from quant.messages.progress import ignore_report
from quant.messages.record.trials import TRIAL_LIST, Trial
from quant.messages.steps import DesignInput, DesignResult
from quant.steps.design import design_strategy
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.support.helpers import PATIENCE, ROOT, assert_eventually, environment, process
from tests.support.outside.cut import FinelyCutResearch
from tests.support.processes import compute_processes, suspended
from workflows.interface.contract import OperationType
from workflows.interface.ids import SliceId, make_step_id
from workflows.interface.messages import ResearchRequest

SEARCH: Final = ResearchRequest(
    trials=60,
    seed=7,
    bypass_gates=True,
    start_date=date(2014, 1, 1),
    end_date=date(2018, 1, 1),
)
"""Two rounds, of 24 and 36 trials, in slices of 4."""


LONG: Final = SEARCH.model_copy(update={"trials": 3000, "seed": 8})


def search_alone(directory: Path) -> tuple[DesignResult, list[Trial]]:
    """Do the same in this process, without slices."""
    artifacts = ArtifactStore(str(directory)).open("design")
    inp = DesignInput(data=SEARCH.data, trials=SEARCH.trials, seed=7)
    result = design_strategy(inp, None, artifacts, ignore_report, plan=FinelyCutResearch.plan)
    return result, TRIAL_LIST.validate_json(artifacts.read(Artifact.TRIALS) or b"")


def read_trials(settings: Settings, research_id: str) -> list[Trial]:
    """Return the trials of a research that has been designed."""
    design_id = make_step_id(research_id, OperationType.DESIGN)
    content = ArtifactStore(settings.artifacts_url).open(design_id).read(Artifact.TRIALS)
    return TRIAL_LIST.validate_json(content or b"[]")


async def list_slices(
    handle: WorkflowHandle[Any, Any],
) -> list[tuple[SliceId, PendingActivityState.ValueType]]:
    """Return the slices of a research that have not finished, and what Temporal says of them."""
    pending = (await handle.describe()).raw_description.pending_activities
    parsed = ((SliceId.parse(each.activity_id), each.state) for each in pending)
    return [(slice_id, state) for slice_id, state in parsed if slice_id and slice_id.size]


async def count_computing(handle: WorkflowHandle[Any, Any]) -> int:
    """Return how many slices of a research a worker computes."""
    started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    return sum(state == started for _, state in await list_slices(handle))


async def list_scheduled(handle: WorkflowHandle[Any, Any]) -> list[SliceId]:
    """Return all slices that a run of a research has scheduled."""
    events = (await handle.fetch_history()).events
    ids = (each.activity_task_scheduled_event_attributes.activity_id for each in events)
    return [parsed for each in ids if (parsed := SliceId.parse(each)) and parsed.size]


async def count_most_scheduled(handle: WorkflowHandle[Any, Any]) -> int:
    """Return how many slices of a run were at most scheduled at once and had not finished."""
    open_slices: set[int] = set()
    most = 0
    for event in (await handle.fetch_history()).events:
        slice_id = SliceId.parse(event.activity_task_scheduled_event_attributes.activity_id)
        if slice_id and slice_id.size:
            open_slices.add(event.event_id)
        open_slices.discard(event.activity_task_completed_event_attributes.scheduled_event_id)
        most = max(most, len(open_slices))
    return most


async def count_reused(handle: WorkflowHandle[Any, Any]) -> int:
    """Return how many trials the slices of a run have found scored already."""
    found = 0
    for event in (await handle.fetch_history()).events:
        done = event.activity_task_completed_event_attributes
        for payload in done.result.payloads:
            result = json.loads(payload.data or b"null")
            found += result.get("reused", 0) if isinstance(result, dict) else 0
    return found


async def hold(
    client: Client, research: WorkflowHandle[Any, Any], round_last: int
) -> tuple[SliceId, dict[str, Any]]:
    """Pause a slice of the round with this last trial before it begins, until all others are done.

    Which one is not sure: slices that are scheduled together begin in any order.

    Returns:
        The slice, and what names it in a request to Temporal.
    """

    async def pause() -> SliceId | None:
        # Meanwhile the slices that have begun keep the slots.
        with ExitStack() as frozen:
            for each in compute_processes():
                with suppress(NoSuchProcess):
                    frozen.enter_context(suspended(each))
            slices = await list_slices(research)
            waiting = [
                each
                for each, state in slices
                if each.round_last == round_last
                and state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            ]
            if not waiting:
                return None
            chosen = waiting[-1]
            await client.workflow_service.pause_activity(PauseActivityRequest(**name(chosen)))
            # It may have begun meanwhile; then it goes on.
            paused = PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
            return chosen if (chosen, paused) in await list_slices(research) else None

    def name(each: SliceId) -> dict[str, Any]:
        return {"namespace": client.namespace, "execution": execution, "id": str(each)}

    execution = WorkflowExecution(workflow_id=research.id)
    held = await assert_eventually(pause, within=PATIENCE)
    assert held is not None

    async def is_left_alone() -> bool:
        return [each for each, _ in await list_slices(research)] == [held]

    await assert_eventually(is_left_alone, within=PATIENCE)
    return held, name(held)


@contextmanager
def cutting_worker(client: Client, settings: Settings) -> Iterator[int]:
    """Run a worker process that cuts searches finely, and yield its process id."""
    settings.home.mkdir(parents=True, exist_ok=True)
    given = {**environment(client, settings), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "tests/support/outside/cut_worker.py")]
    with (
        (settings.home / "cutting-worker.log").open("ab") as log,
        process(command, cwd=ROOT, env=given, stdout=log, stderr=log) as worker,
    ):
        yield worker.pid
