"""The limit on active researches, where counting them fails."""

import asyncio

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.admission import ActiveAnswer, ActiveQuestion
from tests.support.helpers import new_id
from workflows.admission import Admission
from workflows.messages import AdmissionRequest


async def test_a_count_that_fails_is_the_end_of_those_questions_only(alone: Client) -> None:
    all_have_asked = asyncio.Event()
    failures = 0

    @activity.defn
    async def count_active(_: ActiveQuestion) -> ActiveAnswer:
        nonlocal failures
        await all_have_asked.wait()
        failures += 1
        if failures <= 2:
            raise ApplicationError("no list of workflows is to be had", non_retryable=True)
        return ActiveAnswer(active_count=0, unlisted=[])

    queue = new_id("queue")
    async with Worker(alone, task_queue=queue, workflows=[Admission], activities=[count_active]):
        handle = await alone.start_workflow(Admission.run, id=new_id("admission"), task_queue=queue)

        async def admit(number: int) -> bool:
            request = AdmissionRequest(operation_id=f"op-{number}", limit=5)
            return (await handle.execute_update(Admission.admit, request)).admitted

        # The first is counted for alone, the others together when it has been answered.
        asking = [asyncio.create_task(admit(number)) for number in range(4)]
        await asyncio.wait(asking, timeout=0)
        all_have_asked.set()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert WorkflowUpdateFailedError in {type(outcome) for outcome in outcomes}
        while failures < 2:
            with pytest.raises(WorkflowUpdateFailedError):
                await admit(10)
        assert await admit(11)
