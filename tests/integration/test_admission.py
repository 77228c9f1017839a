"""The limit on active researches, asked by an API for a worker.

`make bench-tasks` does the same beside busy loops.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.admission import ADMISSION_ID
from api.app import create_app
from settings import Settings
from tests.api.answers import accepted
from tests.support.helpers import serving, worker_process
from worker import run_workers
from workflows.admission import Admission
from workflows.interface.admission import AdmissionRequest
from workflows.policies import RESEARCH_QUEUE

LIMIT = 5
LONG = {"trials": 5000, "seed": 7}


@pytest_asyncio.fixture
async def limited(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that admits few researches, with a worker that computes one at a time."""
    few = limit(settings)
    async with run_workers(alone, few), serving(create_app(few, alone)) as http:
        yield http


@pytest_asyncio.fixture
async def limited_apart(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The same with a worker that is a process of its own, so that neither delays the other."""
    few = limit(settings)
    with worker_process(alone, few):
        async with serving(create_app(few, alone)) as http:
            yield http


def limit(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_active_researches": LIMIT, "compute_slots": 1})


async def test_a_burst_is_answered_and_stays_within_the_limit(
    limited_apart: httpx2.AsyncClient, alone: Client
) -> None:
    answers = await asyncio.gather(
        *(limited_apart.post("/agent/trigger", json=LONG, timeout=110) for _ in range(500))
    )
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {202, 409}, {answer.text for answer in answers if answer.is_server_error}
    assert codes.count(202) == LIMIT
    found = await alone.count_workflows("WorkflowType = 'Research'")
    assert found.count <= LIMIT
    updates = [
        event
        async for event in alone.get_workflow_handle(ADMISSION_ID).fetch_history_events()
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert len(updates) < 50


@pytest.mark.parametrize(
    ("workflow", "queue", "arguments"),
    [
        pytest.param("Research", RESEARCH_QUEUE, [LONG], id="of another type"),
        pytest.param("Admission", "nobody", [], id="where no worker is"),
        pytest.param("Admission", RESEARCH_QUEUE, ["nonsense"], id="with broken input"),
    ],
)
async def test_what_cannot_admit_is_replaced(
    limited: httpx2.AsyncClient, alone: Client, workflow: str, queue: str, arguments: list[object]
) -> None:
    wrong = await alone.start_workflow(workflow, args=arguments, id=ADMISSION_ID, task_queue=queue)
    accepted(await limited.post("/agent/trigger", json=LONG, timeout=60), 202)
    found = await alone.get_workflow_handle(ADMISSION_ID).describe()
    assert (found.workflow_type, found.task_queue) == ("Admission", RESEARCH_QUEUE)
    assert found.run_id != wrong.first_execution_run_id


async def test_an_api_of_the_previous_version_is_answered_within_the_same_limit(
    limited: httpx2.AsyncClient, alone: Client
) -> None:
    accepted(await limited.post("/agent/trigger", json=LONG), 202)
    handle = alone.get_workflow_handle_for(Admission.run, ADMISSION_ID)
    answers = [
        await handle.execute_update(
            Admission.admit, AdmissionRequest(operation_id=f"op-{number}", limit=LIMIT)
        )
        for number in range(LIMIT)
    ]
    assert [answer.admitted for answer in answers] == [True] * (LIMIT - 1) + [False]
    assert answers[-1].active_count == LIMIT
    refusal = await limited.post("/agent/trigger", json=LONG)
    assert refusal.status_code == 409
