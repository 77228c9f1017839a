"""Reads how far a child workflow was when it was cancelled."""

from temporalio import activity

from quant.messages.progress import Ending, Progress


@activity.defn
async def read_progress_at_end(workflow_id: str) -> Progress | None:
    """Return how far a workflow was when it ended. A cancel carries nothing back to the parent."""
    description = await activity.client().get_workflow_handle(workflow_id).describe()
    ending = await description.memo_value(Ending.memo_key, None, type_hint=Ending)
    return ending.progress if ending else None
