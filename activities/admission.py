"""How many researches are active according to Temporal."""

import asyncio
from collections.abc import Iterable

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from quant.messages.base import FrozenModel

_RUNNING_RESEARCHES = "WorkflowType = 'Research' AND ExecutionStatus = 'Running'"


class ActiveQuestion(FrozenModel):
    """Asks how many researches are active, counting admitted ones but not those that ask."""

    asking: list[str]
    admitted: list[str]
    limit: int


class ActiveAnswer(FrozenModel):
    """The number, and which admitted researches are not listed yet."""

    active_count: int
    unlisted: list[str]


@activity.defn
async def count_active(question: ActiveQuestion) -> ActiveAnswer:
    """Count the researches that run, or have been admitted and are about to start.

    Lists lag behind by a moment. So researches that are not listed yet are described one by one,
    and where the limit would be reached, so are those that are still listed.
    """
    client = activity.client()
    listed = {each.id async for each in client.list_workflows(_RUNNING_RESEARCHES)}
    listed -= set(question.asking)
    unlisted = await _not_ended(client, set(question.admitted) - listed)
    if len(listed) + len(unlisted) + len(question.asking) > question.limit:
        listed = await _not_ended(client, listed)
    return ActiveAnswer(active_count=len(listed | unlisted), unlisted=sorted(unlisted))


async def _not_ended(client: Client, operation_ids: Iterable[str]) -> set[str]:
    async def look(operation_id: str) -> str | None:
        try:
            found = await client.get_workflow_handle(operation_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return operation_id  # Admitted, and not started yet.
            raise
        return operation_id if found.status is WorkflowExecutionStatus.RUNNING else None

    looks = await asyncio.gather(*(look(operation_id) for operation_id in operation_ids))
    return {operation_id for operation_id in looks if operation_id is not None}
