"""The `Claim` workflow: which operation an idempotency key stands for.

The workflow id derives from the key, and Temporal lets only one start under an id succeed. The memo
names the operation. A later request with the same key reads it, for which no worker is needed.
"""

import hashlib

from temporalio import workflow


def make_claim_id(key: str) -> str:
    """Return the workflow id of the claim that belongs to a key."""
    return f"claim_{hashlib.sha256(key.encode()).hexdigest()}"


@workflow.defn
class Claim:
    """Ends at once. Temporal keeps it, with its memo, as long as any closed workflow."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""
