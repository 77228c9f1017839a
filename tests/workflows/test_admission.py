"""The limit on active researches, where counting them fails."""

import asyncio
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.admission import ActiveAnswer, ActiveQuestion
from tests.support.helpers import new_id
from workflows.admission import Admission
from workflows.interface.admission import AdmissionRequest


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


EVIL: list[list[Any]] = [
    [RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{"))],
    [RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"x"))],
    [RawValue(Payload(metadata={"encoding": b"binary/null"}))],
    [5],
    [[5]],
    [[{"operation_id": "x", "limit": 0}]],
    [],
    [[], []],
    [[{"operation_id": "x", "limit": 5}], "more"],
]


async def test_no_evil_question_keeps_others_from_an_answer(alone: Client) -> None:
    @activity.defn
    async def count_active(_: ActiveQuestion) -> ActiveAnswer:
        return ActiveAnswer(active_count=0, unlisted=[])

    queue = new_id("queue")
    async with Worker(alone, task_queue=queue, workflows=[Admission], activities=[count_active]):
        handle = await alone.start_workflow(Admission.run, id=new_id("admission"), task_queue=queue)
        for name in ("admit", "admit_all"):
            for arguments in EVIL:
                with pytest.raises(WorkflowUpdateFailedError):
                    await handle.execute_update(name, args=arguments)
        assert await handle.execute_update(Admission.admit_all, []) == []
        request = AdmissionRequest(operation_id="op", limit=5)
        assert (await handle.execute_update(Admission.admit, request)).admitted
