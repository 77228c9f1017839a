"""What a list reads to know which runs are not the last of their operation."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecution

from api.listing import superseded
from api.listing.superseded import SupersededRuns
from api.listing.visibility import Visibility
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from workflows.interface.contract import WORKFLOW_NAME, OperationType


class Reading(Visibility):
    """Keeps the ids of what was read."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.read: set[str] = set()

    async def list_all(self, query: str) -> list[WorkflowExecution]:
        found = await super().list_all(query)
        self.read |= {run.id for run in found}
        return found


async def test_what_has_started_long_ago_is_not_read_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if nothing has started since: many may have started at once."""
    monkeypatch.setattr(superseded, "_LONGEST_LAG", timedelta(seconds=1))
    reading = Reading(client)
    runs = SupersededRuns(reading)
    handle = await client.start_workflow(
        WORKFLOW_NAME[OperationType.RESEARCH], id=new_id("superseded"), task_queue="nobody"
    )

    async def read() -> set[str]:
        reading.read.clear()
        await runs.find()
        return reading.read

    async def is_read() -> bool:
        return handle.id in await read()

    await assert_eventually(is_read)
    # Looks without a pause: how long each takes must count, too.
    async with asyncio.timeout(PATIENCE):
        while await is_read():
            pass
    await handle.terminate()
