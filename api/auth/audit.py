"""The audit log: which key started, cancelled or changed what, and what was refused."""

import json
import logging
from typing import Any

from fastapi import Request

from api.auth.authentication import Caller
from quant.problems import shorten

_audit = logging.getLogger("ktrdr.audit")


def record_action(caller: Caller, action: str, operation_id: str, **details: Any) -> None:
    """Write one entry.

    Args:
        caller: Who did it.
        action: What was done.
        operation_id: The id of the operation, of the schedule or of the batch.
        **details: More fields of the entry.
    """
    _write(
        {
            "event": action,
            "operation_id": operation_id,
            "key": caller.name,
            "owner": caller.owner,
            **details,
        }
    )


def record_refusal(request: Request, reason: str) -> None:
    """Write that a request was refused because of who has sent it."""
    caller: Caller | None = getattr(request.state, "caller", None)
    _write(
        {
            "event": "refused",
            "reason": reason,
            "method": request.method,
            "path": shorten(request.url.path),
            "client": request.client.host if request.client else None,
            "key": caller.name if caller else None,
            "owner": caller.owner if caller else None,
        }
    )


def _write(entry: dict[str, Any]) -> None:
    _audit.info(json.dumps(entry), extra={"audit": entry})
