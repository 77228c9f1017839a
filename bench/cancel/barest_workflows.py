"""The workflows of the barest cancel: a step that stays, alone and as a child workflow."""

from datetime import timedelta

from temporalio import workflow
from temporalio.workflow import ActivityCancellationType

BAREST_QUEUE = "barest"


@workflow.defn
class BarestStep:
    """Has one activity that stays."""

    @workflow.run
    async def run(self) -> None:
        """Run the activity. A cancel of it is awaited."""
        await workflow.execute_activity(
            "stay",
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=10),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@workflow.defn
class BarestParent:
    """Has one step as a child workflow."""

    @workflow.run
    async def run(self) -> None:
        """Run the child. A cancel of it is awaited, as by default."""
        await workflow.execute_child_workflow(BarestStep.run)
