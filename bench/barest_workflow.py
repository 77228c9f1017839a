"""The workflow of the barest research: one activity."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Barest:
    """Has everything computed by one activity."""

    @workflow.run
    async def run(self) -> str:
        """Return what the activity has found."""
        found: str = await workflow.execute_activity(
            "compute", start_to_close_timeout=timedelta(minutes=1), result_type=str
        )
        return found
