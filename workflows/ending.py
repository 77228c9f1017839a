"""How operations end: what is kept of it, so that it is known without a worker and in lists."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.ending import read_progress_at_end
    from activities.research import ResearchActivities
    from quant.messages.progress import Ending, Progress
    from workflows import policies
    from workflows.cancellation import cancel_requested, finish_cleanup, get_cancel_reason
    from workflows.interface.contract import (
        ACTIVITY_STEPS,
        GOAL,
        OPERATION,
        PRIORITY,
        ChildOperation,
        OperationInfo,
        OperationStatus,
    )
    from workflows.interface.progress import place_step

_GOAL_PATCH = "goal-in-memo"


def keep_goal(info: OperationInfo) -> None:
    """Put goal and priority into the memo, unless whoever started the workflow did so.

    Workflows that began before there was such a memo go on without it.
    """
    if not _has_memo() and workflow.patched(_GOAL_PATCH):
        workflow.upsert_memo({GOAL: info.goal or "", PRIORITY: info.priority})


def _has_memo() -> bool:
    return GOAL in workflow.memo()


async def keep_ending(
    info: OperationInfo, stopped: ChildOperation | None, progress: Progress | None
) -> None:
    """Keep how far an operation was that has failed or was cancelled, and why it was cancelled.

    Args:
        info: The operation. Its progress becomes what is kept.
        stopped: The step that did not complete, if the operation has steps.
        progress: How far its activity was, if known.
    """
    if not _has_memo():
        return
    if stopped is not None:
        if progress is None and stopped.operation_type not in ACTIVITY_STEPS:
            progress = await finish_cleanup(_read_progress(stopped.operation_id))
        stopped.progress = progress
    if progress is not None:
        info.progress = progress if info.phase is None else place_step(info.phase, progress)
    ending = Ending(progress=info.progress, cancellation_reason=get_cancel_reason())
    workflow.upsert_memo({Ending.memo_key: ending})


def keep_operation(info: OperationInfo) -> None:
    """Keep the operation as it ends, so that nobody has to replay the workflow to see it.

    The result of a completed workflow is kept by Temporal. Workflows that were started without the
    key, by hand or by an earlier version, keep nothing.
    """
    if OPERATION in workflow.memo():
        completed = info.status is OperationStatus.COMPLETED
        shown = info.model_dump(
            mode="json",
            exclude={"result_summary"} if completed else None,
            exclude_defaults=True,
        )
        workflow.upsert_memo({OPERATION: shown})


async def _read_progress(child_id: str) -> Progress | None:
    try:
        return await policies.read_temporal(
            read_progress_at_end, child_id, summary=f"How far was {child_id}?"
        )
    except ActivityError:
        return None


async def cancel_with_step(failure: BaseException) -> None:
    """Cancel this workflow because one of its steps was cancelled on its own.

    Temporal marks a workflow as cancelled only if somebody requested a cancel of that workflow. A
    workflow cannot request its own cancel, so an activity does.
    """
    if isinstance(failure, asyncio.CancelledError):
        raise failure  # The worker is evicting this workflow from its cache.
    try:
        await finish_cleanup(policies.cancel_this_workflow(ResearchActivities.cancel_own_workflow))
        await workflow.wait_condition(cancel_requested)
    except asyncio.CancelledError:
        if not cancel_requested():
            raise


async def record_end(record: Coroutine[Any, Any, None], info: OperationInfo) -> None:
    """Write the end of an operation into the ledger.

    Raises:
        ActivityError: It has completed and cannot be recorded. A research is not complete without
            its record; a failed or cancelled one ends anyway.
    """
    try:
        await finish_cleanup(record)
    except ActivityError:
        if info.status is OperationStatus.COMPLETED:
            raise
        workflow.logger.exception("%s is not in the ledger", info.operation_id)
