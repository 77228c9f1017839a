"""Reads memos. Whoever has access to Temporal may write one, so nothing in it is trusted."""

from typing import Any, Protocol, TypeVar

from temporalio.client import WorkflowExecution
from temporalio.exceptions import FailureError

from errors import UnreadablePayload

_Value = TypeVar("_Value")


class _HasMemo(Protocol):
    """A description of a workflow or of a schedule, or a row of a list."""

    async def memo_value(self, key: str, default: Any, *, type_hint: Any) -> Any: ...


async def read_memo(described: _HasMemo, name: str, kind: type[_Value]) -> _Value | None:
    """Return a value of a memo, or None if there is none of this type."""
    try:
        value = await described.memo_value(name, None, type_hint=kind)
    except (FailureError, UnreadablePayload):
        return None
    return value if isinstance(value, kind) else None


async def read_texts(described: _HasMemo, name: str) -> list[str]:
    """Return the texts that a memo lists under a name; none if there is no such list."""
    return [str(each) for each in await read_memo(described, name, list) or ()]


async def read_whole_memo(described: WorkflowExecution) -> dict[str, Any]:
    """Return all values of a memo. One that cannot be read makes the memo empty."""
    try:
        return dict(await described.memo())
    except (FailureError, UnreadablePayload):
        return {}
