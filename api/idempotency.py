"""Idempotency keys: a request that a client repeats with the same key starts nothing new."""

from dataclasses import dataclass
from typing import Any

from errors import KeyReused
from workflows.claim import make_claim_id
from workflows.interface.ids import DatedKey


@dataclass(frozen=True)
class IdempotencyKey:
    """A key that a client sent.

    Attributes:
        key: The key itself, and its owner.
        request_digest: SHA-256 of the request that came with the key.
        dated: What the key says about its operation; None if it has another form.
    """

    key: str
    request_digest: str
    dated: DatedKey | None = None

    @property
    def claim_id(self) -> str:
        """The id under which Temporal knows this key."""
        return make_claim_id(self.key)

    def make_memo(self, stands_for: str) -> dict[str, str]:
        """Return the memo that ties the key to what it stands for, usually an operation."""
        return {
            "stands_for": stands_for,
            "key": self.claim_id,
            "request": self.request_digest,
        }

    def read_memo(self, memo: dict[str, Any]) -> str | None:
        """Return what the key stands for by this memo. None if the memo is of another key.

        Raises:
            KeyReused: The key was used with a different request.
        """
        if memo.get("key") != self.claim_id:
            return None
        if memo.get("request") != self.request_digest:
            raise KeyReused(
                "This Idempotency-Key was already used with a different request.",
                field="Idempotency-Key",
            )
        stands_for = memo.get("stands_for")
        return stands_for if isinstance(stands_for, str) else None
