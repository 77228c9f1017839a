"""The `Notification` workflow: tells people something, for a day if need be.

Nobody waits for it, so whoever is away delays neither a record nor the end of an operation.
"""

from temporalio import workflow
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.watch import WatchActivities
    from quant.messages.watch import Notice
    from workflows import policies
    from workflows.interface.failures import WRONG_ARGUMENTS


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Notification:
    """One notice."""

    @workflow.run
    async def run(self, notice: Notice) -> None:
        """Send it to each address until it has taken it. It fails if one does not for a day."""
        await policies.notify(WatchActivities.notify, notice)


async def tell(notice: Notice, about: str = "") -> None:
    """Start a notification that outlives this workflow.

    Args:
        notice: What people are told.
        about: What tells this notice from the others of the same run, if it has several.
    """
    this = workflow.info()
    name = f"{this.workflow_id}_{this.run_id}"
    await workflow.start_child_workflow(
        Notification.run,
        notice,
        id=f"notice_{name}_{about}" if about else f"notice_{name}",
        task_queue=policies.RESEARCH_QUEUE,
        parent_close_policy=ParentClosePolicy.ABANDON,
        cancellation_type=ChildWorkflowCancellationType.ABANDON,
        static_summary=notice.title,
    )
