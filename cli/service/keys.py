"""Idempotency keys: a request that is sent again starts nothing twice."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from workflows.interface.contract import OperationType
from workflows.interface.ids import make_dated_key

# What a path starts, by its end.
_STARTS: Final = {
    "/agent/trigger": OperationType.RESEARCH,
    "/reproduce": OperationType.RESEARCH,
    "/trainings/start": OperationType.TRAINING,
    "/backtests/start": OperationType.BACKTEST,
}


def make_key(path: str) -> str:
    """Return a new key for a POST request. The id of what it starts derives from its key."""
    for end, operation_type in _STARTS.items():
        if path.endswith(end):
            return make_dated_key(operation_type, datetime.now(UTC))
    return uuid4().hex
