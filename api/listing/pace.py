"""How long a research computes: observed while somebody looks, or else taken from the record."""

import time
from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import Final

from api.operations.schemas import OperationSummary
from errors import LedgerUnavailable
from storage.ledger.ledger import Ledger
from workflows.interface.contract import AttemptState, OperationStatus, OperationType

_OBSERVED: Final = 20
_RECORDED: Final = 20
_SECONDS_BETWEEN_READS: Final = 60.0
# A gap between two looks is no computing time.
_LONGEST_GAP_SECONDS: Final = 5.0


class Pace:
    """The median time that the last researches computed.

    Args:
        ledger: Knows the researches that have ended.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._computed: dict[str, float] = {}
        self._partly_seen: set[str] = set()
        self._observed: deque[float] = deque(maxlen=_OBSERVED)
        self._recorded: float | None = None
        self._next_read = 0.0
        self._looked_at: float | None = None

    def observe(
        self, active: Iterable[OperationSummary], ended: Iterable[OperationSummary]
    ) -> None:
        """Count the time since the last look for the researches that compute.

        One that was first seen in the midst of its work says nothing about a whole one.
        """
        now = time.monotonic()
        gap = now - self._looked_at if self._looked_at is not None else _LONGEST_GAP_SECONDS
        for row in active:
            if row.operation_type is not OperationType.RESEARCH:
                continue
            known = row.operation_id in self._computed
            if (not known and row.progress_percentage > 0.0) or gap >= _LONGEST_GAP_SECONDS:
                self._partly_seen.add(row.operation_id)
            computes = row.attempt is not None and row.attempt.state is AttemptState.RUNNING
            before = self._computed.get(row.operation_id, 0.0)
            self._computed[row.operation_id] = before + gap * computes
        for row in ended:
            seconds = self._computed.pop(row.operation_id, None)
            whole = row.operation_id not in self._partly_seen
            self._partly_seen.discard(row.operation_id)
            if row.status is OperationStatus.COMPLETED and seconds and whole:
                self._observed.append(seconds)
        self._looked_at = now

    async def read(self) -> float | None:
        """Return the seconds that a research computes; None if none has ended yet."""
        if self._observed:
            return round(median(self._observed), 1)
        if time.monotonic() >= self._next_read:
            self._next_read = time.monotonic() + _SECONDS_BETWEEN_READS
            try:
                durations = await self._ledger.ask_briefly(
                    self._ledger.experiments.list_durations, _RECORDED
                )
            except LedgerUnavailable:
                return self._recorded
            # Those that hardly waited are the shortest.
            shortest = sorted(durations)[: max(1, len(durations) // 4)]
            self._recorded = round(median(shortest), 1) if shortest else None
        return self._recorded
