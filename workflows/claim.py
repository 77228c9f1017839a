"""The `Claim` workflow: which operation an idempotency key stands for.

Its workflow id derives from the key, and Temporal lets only one start under an id succeed. Its memo
names the operation, so that a later request with the same key can read it without any worker.
"""

import hashlib

from temporalio import workflow


def claim_id(key: str) -> str:
    """Return the workflow id of the claim that belongs to a key."""
    return f"claim_{hashlib.sha256(key.encode()).hexdigest()}"


@workflow.defn
class Claim:
    """Does nothing; it exists for as long as Temporal keeps closed workflows."""

    @workflow.run
    async def run(self) -> None:
        """End at once."""
