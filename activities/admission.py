"""Counts the researches that are active according to Temporal."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from errors import AtCapacity
from quant.messages.base import FrozenModel

# The workflow that admits researches, and its update.
ADMISSION: Final = "Admission"
ADMISSION_ID: Final = "admission"
ADMIT_ALL: Final = "admit_all"

_LONGEST_UPDATE: Final = timedelta(seconds=10)

_RUNNING_RESEARCHES = "WorkflowType = 'Research' AND ExecutionStatus = 'Running'"


class ActiveQuestion(FrozenModel):
    """Asks how many researches are active.

    Attributes:
        asking: Ids that ask to be admitted. They are not counted.
        admitted: Ids that were admitted lately. They are counted, also if not listed yet.
        limit: Maximum number of active researches.
    """

    asking: list[str]
    admitted: list[str]
    limit: int


class ActiveAnswer(FrozenModel):
    """How many researches are active.

    Attributes:
        active_count: The number.
        unlisted: Admitted researches that are not in Temporal's lists yet.
    """

    active_count: int
    unlisted: list[str]


@activity.defn
async def count_active(question: ActiveQuestion) -> ActiveAnswer:
    """Count the researches that run, and those that were admitted and are about to start.

    Temporal's lists lag behind by a moment. So an admitted research that is not listed is looked up
    by its id. If the count reaches the limit, the listed ones are
    looked up too, because some may have ended.
    """
    client = activity.client()
    listed = {each.id async for each in client.list_workflows(_RUNNING_RESEARCHES)}
    listed -= set(question.asking)
    unlisted = await _drop_ended(client, set(question.admitted) - listed)
    if len(listed) + len(unlisted) + len(question.asking) > question.limit:
        listed = await _drop_ended(client, listed)
    return ActiveAnswer(active_count=len(listed | unlisted), unlisted=sorted(unlisted))


async def _drop_ended(client: Client, operation_ids: Iterable[str]) -> set[str]:
    """Return those that run or have not started."""

    async def look(operation_id: str) -> str | None:
        try:
            found = await client.get_workflow_handle(operation_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return operation_id  # It was admitted and has not started yet.
            raise
        return operation_id if found.status is WorkflowExecutionStatus.RUNNING else None

    looks = await asyncio.gather(*(look(operation_id) for operation_id in operation_ids))
    return {operation_id for operation_id in looks if operation_id is not None}


class MemberAdmission(FrozenModel):
    """A member of a campaign that wants to begin.

    Attributes:
        operation_id: Its id.
        limit: Maximum number of active researches, this one included.
        task_queue: Where the workflow that admits is served.
    """

    operation_id: str
    limit: int
    task_queue: str


class _Question(FrozenModel):
    """What the workflow `Admission` is asked."""

    operation_id: str
    limit: int


class _Answer(FrozenModel):
    """What the workflow `Admission` answers."""

    admitted: bool
    active_count: int


@activity.defn
async def admit_member(member: MemberAdmission) -> None:
    """Ask whether one more research may begin, as the API asks for those that it starts.

    Raises:
        ApplicationError: Not yet. Temporal tries again.
    """
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        ADMISSION,
        id=ADMISSION_ID,
        task_queue=member.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    [answer] = await activity.client().execute_update_with_start_workflow(
        ADMIT_ALL,
        [_Question(operation_id=member.operation_id, limit=member.limit)],
        start_workflow_operation=start,
        result_type=list[_Answer],
        rpc_timeout=_LONGEST_UPDATE,
    )
    if not answer.admitted:
        refusal = AtCapacity(answer.active_count, member.limit)
        raise ApplicationError(refusal.message, type=refusal.reason)
