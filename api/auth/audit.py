"""The audit log: which key started, cancelled or changed what."""

import json
import logging
from typing import Any

from api.auth.authentication import Caller

_audit = logging.getLogger("ktrdr.audit")


def record_action(caller: Caller, action: str, operation_id: str, **details: Any) -> None:
    """Write one entry.

    Args:
        caller: Who did it.
        action: What was done.
        operation_id: The id of the operation, of the schedule or of the batch.
        **details: More fields of the entry.
    """
    entry = {
        "event": action,
        "operation_id": operation_id,
        "key": caller.name,
        "owner": caller.owner,
        **details,
    }
    _audit.info(json.dumps(entry), extra={"audit": entry})
