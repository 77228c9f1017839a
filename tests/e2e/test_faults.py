"""Faults around a research: it waits, and goes on when the fault is gone.

docs/testing.md has the list of the likeliest faults, and where each is provoked.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from api.app import create_app
from quant.messages.artifacts import Artifact
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import PATIENCE, assert_eventually, serving, worker_process
from tests.support.outside.postgresql import postgresql_server
from tests.support.outside.silence import shut_database, silent_database
from tests.support.outside.temporal_server import connect, dev_server
from tests.support.phases import IN_SMALL_DESIGN, start
from tests.support.processes import compute_processes, fork_servers, kill
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest
from workflows.policies import (
    BACKTEST_QUEUE,
    COMPUTE_QUEUE,
    RESEARCH_QUEUE,
    TRAINING_QUEUE,
    WORKFLOW_QUEUES,
)

pytestmark = pytest.mark.long

QUICK = ResearchRequest(strategy="quick", seed=7, bypass_gates=True)
STEADY = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)
# Enough for logs and a model, too little for a report.
ALMOST_NOTHING = 64 * 1024
# A server that forgets in seconds, not in minutes, who has last asked for work.
FORGETFUL = {"matching.longPollExpirationInterval": "2s", "matching.pollerHistoryTTL": "10s"}


async def what_is_retried(client: Client, research_id: str) -> str:
    """Wait for an attempt that has failed, and return the reason."""
    steps = [
        make_step_id(research_id, step) for step in (OperationType.TRAINING, OperationType.BACKTEST)
    ]

    async def look() -> str:
        for workflow_id in (research_id, *steps):
            try:
                description = await client.get_workflow_handle(workflow_id).describe()
            except RPCError:
                continue  # A child that has not begun.
            for pending in description.raw_description.pending_activities:
                if pending.HasField("last_failure"):
                    return pending.last_failure.application_failure_info.type
        return ""

    return await assert_eventually(look, within=PATIENCE)


@contextmanager
def full_disk(worker_pid: int) -> Iterator[None]:
    """Let the compute processes of a worker write only small files."""
    [server] = fork_servers(worker_pid)
    before = server.rlimit(psutil.RLIMIT_FSIZE)
    server.rlimit(psutil.RLIMIT_FSIZE, (ALMOST_NOTHING, before[1]))
    yield
    server.rlimit(psutil.RLIMIT_FSIZE, before)


async def operation(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    """Return what is shown of an operation."""
    shown: dict[str, Any] = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    return shown


async def served_by(api: httpx2.AsyncClient) -> dict[str, int]:
    """Return how many workers there are by queue, as the readiness of the API shows them."""
    answer = await api.get("/health/ready")
    shown: dict[str, int] = answer.json()["workers"]
    assert answer.is_success == all(shown.values())
    return shown


async def slots_for_design(api: httpx2.AsyncClient) -> dict[str, int]:
    """Return what `ktrdr agent status` shows of the slots for designs."""
    shown: dict[str, int] = accepted(await api.get("/agent/status"))["workers"]["agent_design"]
    return {name: shown[name] for name in ("busy", "total", "waiting")}


async def silent(client: Client, queue: str) -> bool:
    """Whether the server has forgotten when it was last asked for an activity of this queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    return not (await client.workflow_service.describe_task_queue(request, retry=True)).pollers


async def limits_of_waiting(handle: WorkflowHandle[Any, Any]) -> set[timedelta]:
    """Return how long a workflow and its activities may wait for a worker; zero is for ever."""
    limits = set()
    for event in (await handle.fetch_history()).events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            workflow = event.workflow_execution_started_event_attributes
            limits.add(workflow.workflow_execution_timeout.ToTimedelta())
            limits.add(workflow.workflow_run_timeout.ToTimedelta())
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            activity = event.activity_task_scheduled_event_attributes
            limits.add(activity.schedule_to_start_timeout.ToTimedelta())
            limits.add(activity.schedule_to_close_timeout.ToTimedelta())
    return limits


async def test_without_a_worker_work_is_pending_until_there_is_one(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home": tmp_path})
    Ledger(own.ledger_url).upgrade()
    async with serving(create_app(own, alone)) as api:
        body = QUICK.model_dump(mode="json")
        research = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
        assert (await operation(api, research))["status"] == "pending"
        assert await served_by(api) == dict.fromkeys(WORKFLOW_QUEUES, 0)
        assert await slots_for_design(api) == {"busy": 0, "total": 0, "waiting": 0}

        async def training_is_pending() -> bool:
            status: str = (await operation(api, f"{research}.training"))["status"]
            return status == "pending"

        with worker_process(alone, own, RESEARCH_QUEUE):
            await assert_eventually(training_is_pending, within=PATIENCE)
            assert (await operation(api, research))["status"] == "running"
            assert await served_by(api) == {RESEARCH_QUEUE: 1, TRAINING_QUEUE: 0, BACKTEST_QUEUE: 0}
            with worker_process(alone, own, TRAINING_QUEUE, BACKTEST_QUEUE):
                assert (await ended(api, research))["status"] == "completed"
                assert set((await served_by(api)).values()) == {1}


async def test_with_all_workers_busy_work_waits_until_one_is_free(
    settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home": tmp_path, "compute_slots": 1})
    with dev_server(tmp_path, config=FORGETFUL) as address:
        client = await connect(address)
        async with serving(create_app(own, client)) as api:
            with worker_process(client, own) as worker:
                busy = await IN_SMALL_DESIGN.begin(client, worker.pid)
                waiting = await start(client, ResearchRequest(trials=1))

                async def waits() -> bool:
                    progress = (await operation(api, waiting.id))["progress"]
                    step: str = progress["current_step"]
                    return step == "Designing strategy... Waiting for a free worker"

                async def no_slot_is_free() -> bool:
                    return await slots_for_design(api) == {"busy": 1, "total": 1, "waiting": 1}

                async def ready_though_no_work_is_asked_for() -> bool:
                    served = await served_by(api) == dict.fromkeys(WORKFLOW_QUEUES, 1)
                    return served and await silent(client, COMPUTE_QUEUE)

                await assert_eventually(waits, within=PATIENCE)
                await assert_eventually(no_slot_is_free, within=PATIENCE)
                await assert_eventually(ready_though_no_work_is_asked_for, within=PATIENCE)
                assert await limits_of_waiting(waiting) == {timedelta(0)}
                with worker_process(client, own):
                    assert (await ended(api, waiting.id))["status"] == "completed"
                    training = client.get_workflow_handle(f"{waiting.id}.training")
                    assert await limits_of_waiting(training) == {timedelta(0)}
                assert (await operation(api, busy.id))["phase"] == "designing"


async def test_a_full_disk_is_waited_for(alone: Client, settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"home": tmp_path})
    with worker_process(alone, own) as worker:

        async def warm() -> bool:
            return bool(fork_servers(worker.pid))

        await assert_eventually(warm, within=PATIENCE)
        with full_disk(worker.pid):
            handle = await start(alone, QUICK)
            assert await what_is_retried(alone, handle.id) == "artifacts_unavailable"
        await handle.result()
        report = ArtifactStore(own.artifacts_url).open(f"{handle.id}.assessment")
        assert len(report.read(Artifact.DOSSIER) or b"") > ALMOST_NOTHING


async def test_a_compute_process_that_the_system_killed_is_replaced(
    alone: Client, settings: Settings
) -> None:
    with worker_process(alone, settings) as worker:
        handle = await start(alone, STEADY)
        training = ArtifactStore(settings.artifacts_url).open(f"{handle.id}.training")

        async def computes() -> bool:
            return training.read(Artifact.CHECKPOINT) is not None

        await assert_eventually(computes, within=PATIENCE)
        [process] = compute_processes(worker.pid)
        kill(process.pid)
        assert await what_is_retried(alone, handle.id) == "compute_died"
        assert (await handle.result()).verdict is not None


@pytest.mark.parametrize("away", [shut_database, silent_database])
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_a_database_that_is_away_is_waited_for(
    alone: Client,
    settings: Settings,
    tmp_path: Path,
    away: Callable[[str], AbstractContextManager[None]],
) -> None:
    with postgresql_server() as ledger:
        own = settings.model_copy(update={"home": tmp_path, "ledger_url": ledger})
        with worker_process(alone, own):
            async with serving(create_app(own, alone)) as api:
                body = QUICK.model_dump(mode="json")
                first = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
                await ended(api, first)
                with away(ledger):
                    refused(await api.get("/experiments"), 503, "ledger_unavailable")
                    second = (await start(alone, QUICK)).id
                    assert await what_is_retried(alone, second) == "ledger_unavailable"
                    # Without a seed it begins with what the ledger remembers.
                    third = (await start(alone, ResearchRequest(trials=1))).id
                    assert await what_is_retried(alone, third) == "ledger_unavailable"
                for each in (second, third):
                    assert (await ended(api, each))["status"] == "completed"
                rows = accepted(await api.get("/experiments"))["data"]
                assert {row["operation_id"] for row in rows} == {first, second, third}
